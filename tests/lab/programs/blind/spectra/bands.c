#include <math.h>
#include "bands.h"

void band_strengths(const double *samples, int n, double *out, int bands) {
	for (int b = 0; b < bands; b++) {
		double c = 2 * cos(M_PI * (b + 1) / (bands + 1)), s1 = 0, s2 = 0;
		for (int i = 0; i < n; i++) {
			double s = samples[i] + c * s1 - s2;
			s2 = s1;
			s1 = s;
		}
		out[b] = s1 * s1 + s2 * s2 - c * s1 * s2;
	}
}
