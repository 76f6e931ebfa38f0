/* What a pass does to features besides convolving them: pools, gates, sums. Features are (channels, positions), or (channels,
   height, width). Sums are taken in double precision; what is no number stays none. */
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(name)))

static const float NOTHING_GREATER = -__builtin_inff();

static inline float greater(float one, float other) {
  return wasm_f32x4_extract_lane(wasm_f32x4_max(wasm_f32x4_splat(one), wasm_f32x4_splat(other)), 0); /* or NaN */
}

static inline v128_t lower(v128_t values) { return wasm_f64x2_promote_low_f32x4(values); }
static inline v128_t upper(v128_t values) { return lower(wasm_i32x4_shuffle(values, values, 2, 3, 2, 3)); }
static inline double both(v128_t sums) { return wasm_f64x2_extract_lane(sums, 0) + wasm_f64x2_extract_lane(sums, 1); }

/* Of one channel's values the mean, the maximum and the mean size (without sign). */
static __attribute__((noinline)) void pool(const float *x, int count, float *mean, float *maximum, float *size) {
  v128_t sums = wasm_f64x2_splat(0), sizes = sums, most = wasm_f32x4_splat(NOTHING_GREATER);
  const int whole = count - count % 4;
  for (int i = 0; i < whole; i += 4) {
    const v128_t values = wasm_v128_load(x + i), own = wasm_f32x4_abs(values);
    sums = wasm_f64x2_add(sums, wasm_f64x2_add(lower(values), upper(values)));
    sizes = wasm_f64x2_add(sizes, wasm_f64x2_add(lower(own), upper(own)));
    most = wasm_f32x4_max(most, values);
  }
  double sum = both(sums), all = both(sizes);
  float four[4], greatest = NOTHING_GREATER;
  wasm_v128_store(four, most);
  for (int i = 0; i < 4; i++) greatest = greater(greatest, four[i]);
  for (int i = whole; i < count; i++) {
    sum += x[i];
    all += __builtin_fabs(x[i]);
    greatest = greater(greatest, x[i]);
  }
  *mean = sum / count;
  *maximum = greatest;
  *size = all / count;
}

/* Into ``pooled`` (3, channels): of each channel the mean, the maximum and the mean size. */
EXPORT("pool_positions") void pool_positions(const float *x, int channels, int positions, float *pooled) {
  for (int channel = 0; channel < channels; channel++) {
    float *to = pooled + channel;
    pool(x + channel * positions, positions, to, to + channels, to + 2 * channels);
  }
}

/* Numbers become the maxima of them and others. */
static __attribute__((noinline)) void raise(float *values, const float *others, int count) {
  const int whole = count - count % 4;
  for (int i = 0; i < whole; i += 4)
    wasm_v128_store(values + i, wasm_f32x4_max(wasm_v128_load(values + i), wasm_v128_load(others + i)));
  for (int i = whole; i < count; i++) values[i] = greater(values[i], others[i]);
}

static __attribute__((noinline)) void add(double *sums, const float *values, int count) {
  for (int i = 0; i < count; i++) sums[i] += values[i];
}

/* Into ``maps`` (2, positions): at each position the mean and the maximum over channels. ``sums`` has room for ``positions``. */
EXPORT("pool_channels") void pool_channels(const float *x, int channels, int positions, double *sums, float *maps) {
  float *greatest = maps + positions;
  for (int i = 0; i < positions; i++) sums[i] = 0, greatest[i] = NOTHING_GREATER;
  for (int channel = 0; channel < channels; channel++, x += positions) {
    add(sums, x, positions);
    raise(greatest, x, positions);
  }
  for (int i = 0; i < positions; i++) maps[i] = sums[i] / channels;
}

/* The maxima of every second number of a line and its two neighbours. */
static void pool_line(const float *x, int length, float *y, int count) {
  for (int i = 0; i < count; i++) {
    float most = x[2 * i];
    if (i > 0) most = greater(most, x[2 * i - 1]);
    if (2 * i + 1 < length) most = greater(most, x[2 * i + 1]);
    y[i] = most;
  }
}

static __attribute__((noinline)) void pool_plane(const float *x, int height, int width, float *line, float *y) {
  const int columns = (width + 1) / 2;
  for (int row = 0; row < height; row += 2, y += columns) {
    const float *from = x + row * width;
    for (int i = 0; i < width; i++) line[i] = from[i];
    if (row > 0) raise(line, from - width, width);
    if (row + 1 < height) raise(line, from + width, width);
    pool_line(line, width, y, columns);
  }
}

/* y (channels, height / 2, width / 2, rounded up): the maxima of windows of 3 x 3 positions, every second one in each direction.
   ``line`` has room for ``width``. */
EXPORT("pool_windows") void pool_windows(const float *x, int channels, int height, int width, float *line, float *y) {
  const int pooled = ((height + 1) / 2) * ((width + 1) / 2);
  for (int channel = 0; channel < channels; channel++)
    pool_plane(x + channel * height * width, height, width, line, y + channel * pooled);
}

static __attribute__((noinline)) void scale_by_one(float *x, int count, float factor) {
  for (int i = 0; i < count; i++) x[i] *= factor;
}

/* Multiply each channel by its factor, in place. */
EXPORT("scale_channels") void scale_channels(float *x, int channels, int positions, const float *factors) {
  for (int channel = 0; channel < channels; channel++) scale_by_one(x + channel * positions, positions, factors[channel]);
}

static __attribute__((noinline)) void scale_by_each(float *x, int count, const float *factors) {
  for (int i = 0; i < count; i++) x[i] *= factors[i];
}

/* Multiply each position by its factor, in place. */
EXPORT("scale_positions") void scale_positions(float *x, int channels, int positions, const float *factors) {
  for (int channel = 0; channel < channels; channel++) scale_by_each(x + channel * positions, positions, factors);
}

/* Add others to numbers, in place; what is below zero becomes zero. */
EXPORT("add_rectified") void add_rectified(float *x, const float *others, int count) {
  for (int i = 0; i < count; i++) {
    const float sum = x[i] + others[i];
    x[i] = sum < 0 ? 0 : sum;
  }
}
