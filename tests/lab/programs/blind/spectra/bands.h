/* Strength of each of `bands` frequencies in `n` samples. */
void band_strengths(const double *samples, int n, double *out, int bands);
