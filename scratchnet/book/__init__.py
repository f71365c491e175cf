"""The notebooks as a book: their order, its page of contents with thumbnails, and a static web site.

    python -m scratchnet.book               # site/: every page as HTML, links checked
    python -m scratchnet.book --contents    # notebooks/README.md and its thumbnails anew

A file a subject:

    chapters    the order of reading, a line about each notebook, and the project's public address
    contents    notebooks/README.md and the thumbnails, from the stored outputs of the notebooks
    links       links that lead nowhere
    pages       a notebook or a page of text as HTML
    site        all pages, each with its neighbours

It works on a clone of the repository: the notebooks are not part of the installed package.
"""
