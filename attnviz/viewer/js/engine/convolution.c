/* Convolutions. Eight neighbouring positions of the result are computed together: what their windows hold is gathered into a
   panel, which makes stride, padding, dilation and 1 x 1 windows one case, and multiplied with the weights of four outputs at
   a time. */
#include <wasm_simd128.h>

enum { POSITIONS = 8, OUTPUTS = 4, CHUNK = 64 };

typedef struct {
  const float *values; /* (channels, height, width) */
  int channels, height, width;
} Features;

typedef struct {
  int side, stride, padding, dilation;
  int replicates; /* around the features stand the values at their edge; else zeros */
} Window;

typedef struct {
  int first, count;                       /* of the positions in the result */
  int top[POSITIONS], left[POSITIONS];    /* where each one's window begins */
  int is_row;                             /* they are neighbours in one row */
} Places;

static Places places_at(int first, int count, int columns, Window window) {
  Places places = {.first = first, .count = count};
  for (int i = 0; i < POSITIONS; i++) {
    const int position = first + (i < count ? i : count - 1);
    places.top[i] = position / columns * window.stride - window.padding;
    places.left[i] = position % columns * window.stride - window.padding;
  }
  places.is_row = count == POSITIONS && places.top[0] == places.top[POSITIONS - 1];
  return places;
}

static inline int clamped(int place, int length) { return place < 0 ? 0 : place < length ? place : length - 1; }

static inline float value_at(const float *plane, int row, int column, Features x, Window window) {
  if (window.replicates) return plane[clamped(row, x.height) * x.width + clamped(column, x.width)];
  const int is_inside = row >= 0 && row < x.height && column >= 0 && column < x.width;
  return is_inside ? plane[row * x.width + column] : 0;
}

/* The first, third, fifth and seventh of eight numbers. */
static inline v128_t every_second(const float *from) {
  return wasm_i32x4_shuffle(wasm_v128_load(from), wasm_v128_load(from + 4), 0, 2, 4, 6);
}

/* Into the panel (channels * side * side, POSITIONS): what the windows at these places hold. */
static __attribute__((noinline)) void gather(float *panel, const Places *places, Features x, Window window) {
  for (int channel = 0; channel < x.channels; channel++) {
    const float *plane = x.values + channel * x.height * x.width;
    for (int down = 0; down < window.side * window.dilation; down += window.dilation)
      for (int across = 0; across < window.side * window.dilation; across += window.dilation) {
        const int row = places->top[0] + down, column = places->left[0] + across;
        const int end = column + POSITIONS * window.stride;
        const int is_inside = row >= 0 && row < x.height && column >= 0 && end <= x.width;
        const float *from = plane + row * x.width + column;
        if (places->is_row && is_inside && window.stride == 1) {
          wasm_v128_store(panel, wasm_v128_load(from));
          wasm_v128_store(panel + 4, wasm_v128_load(from + 4));
        } else if (places->is_row && is_inside && window.stride == 2) {
          wasm_v128_store(panel, every_second(from));
          wasm_v128_store(panel + 4, every_second(from + 8));
        } else {
          for (int i = 0; i < POSITIONS; i++)
            panel[i] = value_at(plane, places->top[i] + down, places->left[i] + across, x, window);
        }
        panel += POSITIONS;
      }
  }
}

#define ADD wasm_f32x4_add
#define TERM(sum, weight, values) sum = ADD(sum, wasm_f32x4_mul(values, weight))

/* Four outputs of a panel, each at eight positions: sums (OUTPUTS * 2), of terms in chunks, whose sums are added up, since
   in single precision one long sum gathers twice the error. */
static __attribute__((noinline)) void multiply(v128_t *sums, const float *panel, const float *weights, const float *bias, int depth) {
  for (int output = 0; output < OUTPUTS; output++)
    sums[2 * output] = sums[2 * output + 1] = wasm_v128_load32_splat(bias + output);
  for (int done = 0; done < depth; done += CHUNK) {
    const int count = depth - done < CHUNK ? depth - done : CHUNK;
    v128_t a0 = wasm_f32x4_splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (int i = 0; i < count; i++, weights += OUTPUTS, panel += POSITIONS) {
      const v128_t first = wasm_v128_load(panel), second = wasm_v128_load(panel + 4);
      v128_t weight = wasm_v128_load32_splat(weights);
      TERM(a0, weight, first);
      TERM(a1, weight, second);
      weight = wasm_v128_load32_splat(weights + 1);
      TERM(b0, weight, first);
      TERM(b1, weight, second);
      weight = wasm_v128_load32_splat(weights + 2);
      TERM(c0, weight, first);
      TERM(c1, weight, second);
      weight = wasm_v128_load32_splat(weights + 3);
      TERM(d0, weight, first);
      TERM(d1, weight, second);
    }
    const v128_t chunk[2 * OUTPUTS] = {a0, a1, b0, b1, c0, c1, d0, d1};
    for (int i = 0; i < 2 * OUTPUTS; i++) sums[i] = ADD(sums[i], chunk[i]);
  }
}

/* Write one output's sums at up to eight positions, ``added`` to them, if that is not 0, and rectified, if wanted: NaN stays. */
static inline void put(float *y, v128_t first, v128_t second, const float *added, int rectify, int count) {
  if (count == POSITIONS) {
    const v128_t zero = wasm_f32x4_splat(0);
    if (added) first = ADD(first, wasm_v128_load(added)), second = ADD(second, wasm_v128_load(added + 4));
    wasm_v128_store(y, rectify ? wasm_f32x4_max(first, zero) : first);
    wasm_v128_store(y + 4, rectify ? wasm_f32x4_max(second, zero) : second);
    return;
  }
  float values[POSITIONS];
  wasm_v128_store(values, first);
  wasm_v128_store(values + 4, second);
  for (int i = 0; i < count; i++) {
    const float value = added ? values[i] + added[i] : values[i];
    y[i] = rectify && value < 0 ? 0 : value;
  }
}

/* y (outputs, rows, columns) of x (channels, height, width) and weights (outputs / 4, channels * side * side, 4): outputs in
   fours, so that the last of them may be padding. ``panel`` has room for channels * side * side * 8 numbers. */
__attribute__((export_name("convolve"))) void convolve(
    const float *x, int channels, int height, int width, const float *weights, const float *bias, int outputs, int side,
    int stride, int padding, int dilation, int replicates, int rectify, const float *added, float *y, int rows, int columns,
    float *panel) {
  const Features features = {x, channels, height, width};
  const Window window = {side, stride, padding, dilation, replicates};
  const int positions = rows * columns, depth = channels * side * side;
  for (int first = 0; first < positions; first += POSITIONS) {
    const int count = positions - first < POSITIONS ? positions - first : POSITIONS;
    const Places places = places_at(first, count, columns, window);
    gather(panel, &places, features, window);
    for (int output = 0; output < outputs; output += OUTPUTS) {
      v128_t sums[2 * OUTPUTS];
      multiply(sums, panel, weights + output * depth, bias + output, depth);
      for (int i = 0; i < OUTPUTS; i++) {
        const int place = (output + i) * positions + first;
        put(y + place, sums[2 * i], sums[2 * i + 1], added ? added + place : 0, rectify, count);
      }
    }
  }
}
