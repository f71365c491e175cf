// What becomes of the sums: y[place(m) * columns + n], plus a bias, through ReLU, or added to what stands there.
struct Result {
    real* y;
    const real* bias;  // of columns, or null
    int rows, columns;
    bool relu, add;

    __device__ real finished(real sum, int n, const real* old) const {
        if (bias) sum += bias[n];
        if (add) sum += *old;
        return relu && sum <= 0 ? 0 : sum;  // NaN stays
    }
};
