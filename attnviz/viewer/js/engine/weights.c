/* The weights of a convolution as convolution.c takes them. */
#include <wasm_simd128.h>

/* The bits of up to four numbers, zeros behind them. */
static inline v128_t bits_at(const void *numbers, int is_half, int place, int count) {
  const unsigned short *halves = (const unsigned short *)numbers + place;
  const int *singles = (const int *)numbers + place;
  if (count == 4) return is_half ? wasm_u32x4_load16x4(halves) : wasm_v128_load(singles);
  int bits[4] = {0};
  for (int i = 0; i < count; i++) bits[i] = is_half ? halves[i] : singles[i];
  return wasm_v128_load(bits);
}

static inline int are_finite(v128_t bits, int is_half) {
  const v128_t exponent = wasm_i32x4_splat(is_half ? 0x7c00 : 0x7f800000);
  return !wasm_v128_any_true(wasm_i32x4_eq(wasm_v128_and(bits, exponent), exponent));
}

/* Four finite numbers by the bits of halves. Shifted into place, their exponents begin 112 too low. */
static inline v128_t widened(v128_t halves) {
  const v128_t sizes = wasm_i32x4_shl(wasm_v128_and(halves, wasm_i32x4_splat(0x7fff)), 13);
  const v128_t signs = wasm_i32x4_shl(wasm_v128_and(halves, wasm_i32x4_splat(0x8000)), 16);
  return wasm_v128_or(wasm_f32x4_mul(sizes, wasm_f32x4_splat(0x1p112f)), signs);
}

/* Four times a factor, in double precision until the result. */
static inline v128_t scaled(v128_t values, v128_t factor) {
  const v128_t upper = wasm_i32x4_shuffle(values, values, 2, 3, 2, 3);
  const v128_t first = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(values), factor);
  const v128_t second = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(upper), factor);
  return wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(first), wasm_f32x4_demote_f64x2_zero(second), 0, 1, 4, 5);
}

/* Numbers times a factor, each so many places behind the one before. Gives whether all are finite. */
static __attribute__((noinline)) int spread(const void *numbers, int is_half, int first, int count, double factor,
                                            float *laid, int step) {
  int is_finite = 1;
  for (int done = 0; done < count; done += 4) {
    const int some = count - done < 4 ? count - done : 4;
    const v128_t bits = bits_at(numbers, is_half, first + done, some);
    float values[4];
    wasm_v128_store(values, scaled(is_half ? widened(bits) : bits, wasm_f64x2_splat(factor)));
    for (int i = 0; i < some; i++, laid += step) *laid = values[i];
    is_finite &= are_finite(bits, is_half);
  }
  return is_finite;
}

/* Weights (outputs, depth), in half or single precision, each output times its factor, by so many outputs ``together``:
   laid (outputs / together, depth, together). Gives whether all are finite. */
__attribute__((export_name("lay_out"))) int lay_out(
    const void *weights, int is_half, const double *factors, int outputs, int depth, int together, float *laid) {
  int is_finite = 1;
  for (int output = 0; output < outputs; output++) {
    const int place = output % together;
    float *to = laid + (output - place) * depth + place;
    is_finite &= spread(weights, is_half, output * depth, depth, factors[output], to, together);
  }
  return is_finite;
}
