"""Names of Keras 1 and 2, for programs that were written then. Nothing here is needed to read or to use the package.

A call with an old name, an attribute, a method or a module of that time works, and the first use of each is answered by
one `OldName` warning that says today's way.

| table or class | of what | asked by |
|---|---|---|
| `arguments.ARGUMENTS` | arguments of constructors, functions, methods | `config.Configurable`, `annotations.checked` |
| `names.NAMES` | layers, optimizers, functions | `unbuilt.ask`, where a module has no such name |
| `names.MODULES` | modules | `unbuilt.Finder`, where there is no such file |
| `attributes.Values` | `history["acc"]` and the like | `callbacks.History`, `callbacks.Monitor`, ... |
| `attributes.Methods`, `Rate` | `model.fit_generator`, ...; `optimizer.lr` | inherited by models and optimizers |
"""

from scratchnet.old_names.arguments import renamed
from scratchnet.old_names.attributes import Methods, Rate, Values
from scratchnet.old_names.warning import OldName

__all__ = ["Methods", "OldName", "Rate", "Values", "renamed"]
