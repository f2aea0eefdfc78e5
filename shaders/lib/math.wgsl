// Functions that fused expressions call where WGSL's own may differ from IEEE 754 as PyTorch shows it: compilers may assume
// that there is no NaN and no infinity, so NaN is told by its bits, and what depends on it is chosen with select.
// `name` takes a scalar, `name4` a vec4. Polynomials are those of Cephes, within 2 ULP, and equal on all adapters.

// --- kinds of floats --------------------------------------------------------------------------------------------------

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn is_nan4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u); }

fn is_inf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
fn is_inf4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) == vec4<u32>(0x7f800000u); }

fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u; }
fn is_finite4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) < vec4<u32>(0x7f800000u); }

// true for NaN
fn is_nonzero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }
fn is_nonzero4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u); }

// A NaN, and an infinity with the sign of x. They depend on x, since constant ones do not compile.
fn nan_of(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
fn nan_of4(x: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) | vec4<u32>(0x7fc00000u)); }
fn inf_of(x: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x80000000u) | 0x7f800000u); }

// --- comparisons ------------------------------------------------------------------------------------------------------
fn is_eq(a: f32, b: f32) -> bool { return (a == b) & !(is_nan(a) | is_nan(b)); }
fn is_eq4(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a == b) & !(is_nan4(a) | is_nan4(b)); }
fn is_lt(a: f32, b: f32) -> bool { return (a < b) & !(is_nan(a) | is_nan(b)); }
fn is_lt4(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a < b) & !(is_nan4(a) | is_nan4(b)); }
fn is_le(a: f32, b: f32) -> bool { return (a <= b) & !(is_nan(a) | is_nan(b)); }
fn is_le4(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a <= b) & !(is_nan4(a) | is_nan4(b)); }
fn is_gt(a: f32, b: f32) -> bool { return (a > b) & !(is_nan(a) | is_nan(b)); }
fn is_gt4(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a > b) & !(is_nan4(a) | is_nan4(b)); }
fn is_ge(a: f32, b: f32) -> bool { return (a >= b) & !(is_nan(a) | is_nan(b)); }
fn is_ge4(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return (a >= b) & !(is_nan4(a) | is_nan4(b)); }
fn is_ne(a: f32, b: f32) -> bool { return !is_eq(a, b); }
fn is_ne4(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> { return !is_eq4(a, b); }

// --- order ------------------------------------------------------------------------------------------------------------

fn maximum(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, is_nan(b)), a, is_nan(a)); }
fn maximum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(select(max(a, b), b, is_nan4(b)), a, is_nan4(a)); }

fn minimum(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, is_nan(b)), a, is_nan(a)); }
fn minimum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(select(min(a, b), b, is_nan4(b)), a, is_nan4(a)); }

fn relu(x: f32) -> f32 { return select(max(x, 0.0), x, is_nan(x)); }
fn relu4(x: vec4<f32>) -> vec4<f32> { return select(max(x, vec4<f32>(0.0)), x, is_nan4(x)); }

// 0 for NaN
fn sign_of(x: f32) -> f32 { return select(sign(x), 0.0, is_nan(x)); }
fn sign_of4(x: vec4<f32>) -> vec4<f32> { return select(sign(x), vec4<f32>(0.0), is_nan4(x)); }

// --- casts: towards zero, saturating; NaN becomes 0 -------------------------------------------------------------------
fn to_i32(x: f32) -> i32 {
  let inside = i32(clamp(x, -2147483648.0, 2147483520.0));
  return select(select(inside, 2147483647i, x >= 2147483648.0), 0i, is_nan(x));
}
fn to_i324(x: vec4<f32>) -> vec4<i32> {
  let inside = vec4<i32>(clamp(x, vec4<f32>(-2147483648.0), vec4<f32>(2147483520.0)));
  return select(select(inside, vec4<i32>(2147483647i), x >= vec4<f32>(2147483648.0)), vec4<i32>(0i), is_nan4(x));
}
fn to_u32(x: f32) -> u32 {
  let inside = u32(clamp(x, 0.0, 4294967040.0));
  return select(select(inside, 4294967295u, x >= 4294967296.0), 0u, is_nan(x));
}
fn to_u324(x: vec4<f32>) -> vec4<u32> {
  let inside = vec4<u32>(clamp(x, vec4<f32>(0.0), vec4<f32>(4294967040.0)));
  return select(select(inside, vec4<u32>(4294967295u), x >= vec4<f32>(4294967296.0)), vec4<u32>(0u), is_nan4(x));
}
fn to_u8(x: f32) -> u32 {
  let inside = u32(clamp(x, 0.0, 255.0));
  return select(select(inside, 255u, x >= 255.0), 0u, is_nan(x));
}
fn to_u84(x: vec4<f32>) -> vec4<u32> {
  let inside = vec4<u32>(clamp(x, vec4<f32>(0.0), vec4<f32>(255.0)));
  return select(select(inside, vec4<u32>(255u), x >= vec4<f32>(255.0)), vec4<u32>(0u), is_nan4(x));
}
// --- exponentials -----------------------------------------------------------------------------------------------------

// exp(r) - 1 for |r| <= 0.35
fn expm1_near_0(r: f32) -> f32 {
  let p = ((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 5.0000001201e-1;
  return p * r * r + r;
}

fn power_of_two(exponent: i32) -> f32 { return bitcast<f32>(u32(exponent + 127) << 23u); }

fn ieee_exp(x: f32) -> f32 {
  let inside = clamp(x, -104.0, 89.0);
  let k = round(inside * 1.44269504);
  let r = (inside - k * 0.693359375) + k * 2.12194440e-4; // k ln 2, its first part exact
  let half = i32(k) / 2;
  let y = (1.0 + expm1_near_0(r)) * power_of_two(half) * power_of_two(i32(k) - half);
  let bounded = select(select(y, 0.0, x < -103.9), inf_of(abs(x)), x > 88.72284);
  return select(bounded, x, is_nan(x));
}

fn expm1(x: f32) -> f32 { return select(ieee_exp(x) - 1.0, expm1_near_0(x), abs(x) < 0.35); }

fn sigmoid(x: f32) -> f32 {
  let e = ieee_exp(-abs(x));
  return select(select(e, 1.0, x >= 0.0) / (1.0 + e), x, is_nan(x));
}

fn ieee_tanh(x: f32) -> f32 {
  let t = expm1(2.0 * min(abs(x), 10.0));
  let y = t / (t + 2.0);
  return select(select(y, -y, x < 0.0), x, is_nan(x));
}

// x P(x^2) / Q(x^2), as in Eigen. From 3.8325069 on it is 1 to half an ulp, and has to be just that: 1 + erf(-inf) is 0.
fn erf(x: f32) -> f32 {
  let c = clamp(x, -3.8325069, 3.8325069);
  let z = c * c;
  var p = -2.72614225801306e-10;
  p = p * z + 2.77068142495902e-08;
  p = p * z - 2.10102402082508e-06;
  p = p * z - 5.69250639462346e-05;
  p = p * z - 7.34990630326855e-04;
  p = p * z - 2.95459980854025e-03;
  p = p * z - 1.60960333262415e-02;
  var q = -1.45660718464996e-05;
  q = q * z - 2.13374055278905e-04;
  q = q * z - 1.68282697438203e-03;
  q = q * z - 7.37332916720468e-03;
  q = q * z - 1.42647390514189e-02;
  let y = select(c * p / q, sign(x), abs(x) >= 3.8325069);
  return select(y, x, is_nan(x));
}

// --- logarithms -------------------------------------------------------------------------------------------------------

// log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]
fn log1p_rest(f: f32) -> f32 {
  var p = 7.0376836292e-2;
  p = p * f - 1.1514610310e-1;
  p = p * f + 1.1676998740e-1;
  p = p * f - 1.2420140846e-1;
  p = p * f + 1.4249322787e-1;
  p = p * f - 1.6668057665e-1;
  p = p * f + 2.0000714765e-1;
  p = p * f - 2.4999993993e-1;
  p = p * f + 3.3333331174e-1;
  return (p * f - 0.5) * f * f;
}

fn ieee_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // the mantissa between sqrt(1/2) and sqrt(2)
  let shifted = bits - 0x3f3504f3u;
  let exponent = f32(bitcast<i32>(shifted) >> 23u);
  let f = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0;
  let y = (log1p_rest(f) - 2.12194440e-4 * exponent) + f + 0.693359375 * exponent;
  let is_negative = bits > 0x80000000u; // and NaN with a sign
  if ((bits & 0x7fffffffu) < 0x00800000u) { return -inf_of(abs(x)); } // 0, and what is flushed to 0
  if (is_negative | is_nan(x)) { return nan_of(x); }
  return select(y, x, bits == 0x7f800000u);
}

fn log1p(x: f32) -> f32 {
  let is_near = (x > -0.29289) & (x < 0.41421);
  return select(ieee_log(1.0 + x), x + log1p_rest(x), is_near);
}

// --- roots and powers -------------------------------------------------------------------------------------------------

fn ieee_sqrt(x: f32) -> f32 {
  let y = select(sqrt(abs(x)), x, (x == 0.0) | is_inf(x));
  return select(y, nan_of(x), (x < 0.0) | is_nan(x));
}

fn rsqrt(x: f32) -> f32 {
  let y = select(inverseSqrt(abs(x)), inf_of(x), (bitcast<u32>(x) & 0x7fffffffu) < 0x00800000u);
  let bounded = select(y, 0.0, is_inf(x));
  return select(bounded, nan_of(x), ((x < 0.0) & (abs(x) >= 1.17549435e-38)) | is_nan(x));
}

// a^n by squaring: exact as long as the result is
fn integer_power(a: f32, n: u32) -> f32 {
  var result = 1.0;
  var base = a;
  for (var rest = n; rest > 0u; rest >>= 1u) {
    if ((rest & 1u) == 1u) { result *= base; }
    base *= base;
  }
  return result;
}

// |a|^b for what is neither NaN nor 1
fn power_of_magnitude(a: f32, b: f32) -> f32 {
  let is_growing = (a > 1.0) == (b > 0.0);
  if ((a == 0.0) | is_inf(a) | is_inf(b)) { return select(0.0, inf_of(a), is_growing); }
  if ((abs(b) <= 16.0) & (trunc(b) == b)) {
    let y = integer_power(a, u32(abs(b)));
    let is_normal = (y >= 1.17549435e-38) & !is_inf(y); // elsewhere 1 / y may be another thing than a^b
    if (is_normal) { return select(y, 1.0 / y, b < 0.0); }
  }
  return ieee_exp(b * ieee_log(a));
}

fn power(a: f32, b: f32) -> f32 {
  if ((b == 0.0) | (a == 1.0)) { return 1.0; }
  if (is_nan(a) | is_nan(b)) { return nan_of(a); }
  let magnitude = abs(a);
  var y = 1.0;
  if (magnitude != 1.0) { y = power_of_magnitude(magnitude, b); }
  if (bitcast<u32>(a) < 0x80000000u) { return y; }
  let is_integer = trunc(b) == b;
  if (!is_integer & (a < 0.0) & !is_inf(a)) { return nan_of(a); }
  let is_odd = is_integer & (abs(b) < 16777216.0) & ((u32(min(abs(b), 16777216.0)) & 1u) == 1u);
  return select(y, -y, is_odd);
}

fn i32_power(a: i32, b: i32) -> i32 {
  if (b < 0i) { return select(select(0i, select(-1i, 1i, (b & 1i) == 0i), a == -1i), 1i, a == 1i); }
  return bitcast<i32>(u32_power(bitcast<u32>(a), u32(b)));
}

fn u32_power(a: u32, b: u32) -> u32 {
  var result = 1u;
  var base = a;
  for (var rest = b; rest > 0u; rest >>= 1u) {
    if ((rest & 1u) == 1u) { result *= base; }
    base *= base;
  }
  return result;
}

// --- sine and cosine --------------------------------------------------------------------------------------------------

// x = quadrant pi / 2 + rest, |rest| <= pi / 4
struct Angle { rest: f32, quadrant: u32 }

// words of 2 / pi in binary, two bits before the point
fn two_over_pi(word: u32) -> u32 {
  switch (word) {
    case 0u: { return 0x28be60dbu; }
    case 1u: { return 0x9391054au; }
    case 2u: { return 0x7f09d5f4u; }
    case 3u: { return 0x7d4d3770u; }
    case 4u: { return 0x36d8a566u; }
    case 5u: { return 0x4f10e410u; }
    default: { return 0x7f9458eau; }
  }
}

// 32 bits of 2 / pi from a bit on
fn two_over_pi_bits(word: u32, shift: u32) -> u32 {
  let rest = select(two_over_pi(word + 1u) >> (32u - max(shift, 1u)), 0u, shift == 0u);
  return (two_over_pi(word) << shift) | rest;
}

// Payne and Hanek: multiplies with just those bits of 2 / pi that matter, so that any finite x comes out exact
fn reduce_large(x: f32) -> Angle {
  let mantissa = ((bitcast<u32>(x) & 0x007fffffu) << 8u) | 0x80000000u;
  let exponent = ((bitcast<u32>(x) >> 23u) & 0xffu) - 126u;
  let word = exponent >> 5u;
  let shift = exponent & 31u;
  var first = 0u;
  if (word > 0u) { first = two_over_pi_bits(word - 1u, shift); }
  else if (shift > 0u) { first = two_over_pi(0u) >> (32u - shift); }
  let middle = two_over_pi_bits(word, shift);
  let last = two_over_pi_bits(word + 1u, shift);
  // a product of 2.62 bits
  let carry = u32_mul_high(mantissa, last);
  var low = mantissa * middle + carry;
  var high = mantissa * first + u32_mul_high(mantissa, middle) + select(0u, 1u, low < carry);
  var quadrant = high >> 30u;
  high &= 0x3fffffffu;
  let is_beyond = (high & 0x20000000u) != 0u; // more than half a quadrant: count from the next one
  if (is_beyond) {
    quadrant++;
    low = ~low + 1u;
    high = (0x3fffffffu - high) + select(0u, 1u, low == 0u);
  }
  let magnitude = (f32(high) * 4294967296.0 + f32(low)) * 3.4061215800e-19; // pi / 2 / 2^62
  let is_negative = bitcast<u32>(x) >= 0x80000000u;
  return Angle(select(magnitude, -magnitude, is_beyond != is_negative), select(quadrant, 0u - quadrant, is_negative));
}

fn reduce_angle(x: f32) -> Angle {
  if (abs(x) > 8192.0) { return reduce_large(x); }
  let k = round(x * 0.636619772);
  let rest = ((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8; // exact parts of pi / 2
  return Angle(rest, bitcast<u32>(i32(k)));
}

fn sine_of(angle: Angle) -> f32 {
  let x = angle.rest;
  let z = x * x;
  let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * x + x;
  let c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  let y = select(s, c, (angle.quadrant & 1u) == 1u);
  return select(y, -y, (angle.quadrant & 2u) == 2u);
}

fn ieee_sin(x: f32) -> f32 {
  if (!is_finite(x)) { return nan_of(x); }
  return sine_of(reduce_angle(x));
}

fn ieee_cos(x: f32) -> f32 {
  if (!is_finite(x)) { return nan_of(x); }
  let angle = reduce_angle(x);
  return sine_of(Angle(angle.rest, angle.quadrant + 1u));
}

// --- division with Python's signs -------------------------------------------------------------------------------------

fn exponent_bits(x: f32) -> u32 { return (bitcast<u32>(x) >> 23u) & 0xffu; }

// The exact rest of a / b with the sign of a: takes away b times powers of two.
fn rest_of(a: f32, b: f32) -> f32 {
  let size = abs(b);
  if (!is_finite(a) | is_nan(b) | (size < 1.17549435e-38)) { return nan_of(a); }
  if (is_inf(b)) { return a; }
  var rest = abs(a);
  for (var i = 0; i < 256 && rest >= size; i++) {
    let scale = (exponent_bits(rest) - exponent_bits(size)) << 23u;
    let part = bitcast<f32>(bitcast<u32>(size) + scale);
    rest -= select(part, 0.5 * part, part > rest);
  }
  return bitcast<f32>(bitcast<u32>(rest) | (bitcast<u32>(a) & 0x80000000u));
}

fn remainder(a: f32, b: f32) -> f32 {
  let rest = rest_of(a, b);
  return select(rest, rest + b, (rest != 0.0) & ((rest < 0.0) != (b < 0.0)) & !is_nan(rest));
}

fn floor_divide(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return a / b; }
  let rest = rest_of(a, b);
  if (is_nan(rest)) { return rest; }
  let is_below = (rest != 0.0) & ((rest < 0.0) != (b < 0.0));
  let quotient = (a - rest) / b - select(0.0, 1.0, is_below);
  let floored = floor(quotient);
  return select(floored, floored + 1.0, quotient - floored > 0.5);
}

fn i32_floor_divide(a: i32, b: i32) -> i32 {
  if (b == 0i) { return -1i; }
  let quotient = a / b;
  let rest = a - quotient * b;
  return quotient - select(0i, 1i, (rest != 0i) & ((rest < 0i) != (b < 0i)));
}

fn i32_remainder(a: i32, b: i32) -> i32 { return select(a - i32_floor_divide(a, b) * b, a, b == 0i); }
fn u32_floor_divide(a: u32, b: u32) -> u32 { return select(a / max(b, 1u), 0xffffffffu, b == 0u); }
fn u32_remainder(a: u32, b: u32) -> u32 { return select(a % max(b, 1u), a, b == 0u); }

// --- folds of scans ---------------------------------------------------------------------------------------------------

// log(exp(a) + exp(b)), without overflow
fn log_add_exp(a: f32, b: f32) -> f32 {
  let high = maximum(a, b);
  let sum = high + log1p(ieee_exp(minimum(a, b) - high));
  return select(high, sum, is_finite(high));
}

// Two steps of y[t] = factor[t] * y[t - 1] + term[t] as one: a and then b, each (factor, term).
fn step_after(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> { return vec2<f32>(a.x * b.x, a.y * b.x + b.y); }

// Whether y, which comes later, takes the place of x as the largest so far: the last of equals, and NaN for good.
fn is_later_max(x: f32, y: f32) -> bool { return is_nan(y) | (!is_nan(x) & (y >= x)); }
fn is_later_min(x: f32, y: f32) -> bool { return is_nan(y) | (!is_nan(x) & (y <= x)); }

// --- wide integers ----------------------------------------------------------------------------------------------------

// High word of the 64-bit product, from 16-bit halves.
fn u32_mul_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u);
}

// --- four lanes of what is dear ---------------------------------------------------------------------------------------

fn ieee_exp4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_exp(x.x), ieee_exp(x.y), ieee_exp(x.z), ieee_exp(x.w)); }
fn expm14(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(expm1(x.x), expm1(x.y), expm1(x.z), expm1(x.w)); }
fn sigmoid4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(sigmoid(x.x), sigmoid(x.y), sigmoid(x.z), sigmoid(x.w)); }
fn ieee_tanh4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_tanh(x.x), ieee_tanh(x.y), ieee_tanh(x.z), ieee_tanh(x.w)); }
fn erf4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(erf(x.x), erf(x.y), erf(x.z), erf(x.w)); }
fn ieee_log4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_log(x.x), ieee_log(x.y), ieee_log(x.z), ieee_log(x.w)); }
fn log1p4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(log1p(x.x), log1p(x.y), log1p(x.z), log1p(x.w)); }
fn ieee_sqrt4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_sqrt(x.x), ieee_sqrt(x.y), ieee_sqrt(x.z), ieee_sqrt(x.w)); }
fn rsqrt4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(rsqrt(x.x), rsqrt(x.y), rsqrt(x.z), rsqrt(x.w)); }
fn ieee_sin4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_sin(x.x), ieee_sin(x.y), ieee_sin(x.z), ieee_sin(x.w)); }
fn ieee_cos4(x: vec4<f32>) -> vec4<f32> { return vec4<f32>(ieee_cos(x.x), ieee_cos(x.y), ieee_cos(x.z), ieee_cos(x.w)); }
fn power4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return vec4<f32>(power(a.x, b.x), power(a.y, b.y), power(a.z, b.z), power(a.w, b.w)); }
fn i32_power4(a: vec4<i32>, b: vec4<i32>) -> vec4<i32> { return vec4<i32>(i32_power(a.x, b.x), i32_power(a.y, b.y), i32_power(a.z, b.z), i32_power(a.w, b.w)); }
fn u32_power4(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> { return vec4<u32>(u32_power(a.x, b.x), u32_power(a.y, b.y), u32_power(a.z, b.z), u32_power(a.w, b.w)); }
fn remainder4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return vec4<f32>(remainder(a.x, b.x), remainder(a.y, b.y), remainder(a.z, b.z), remainder(a.w, b.w)); }
fn i32_remainder4(a: vec4<i32>, b: vec4<i32>) -> vec4<i32> { return vec4<i32>(i32_remainder(a.x, b.x), i32_remainder(a.y, b.y), i32_remainder(a.z, b.z), i32_remainder(a.w, b.w)); }
fn u32_remainder4(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> { return vec4<u32>(u32_remainder(a.x, b.x), u32_remainder(a.y, b.y), u32_remainder(a.z, b.z), u32_remainder(a.w, b.w)); }
fn floor_divide4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return vec4<f32>(floor_divide(a.x, b.x), floor_divide(a.y, b.y), floor_divide(a.z, b.z), floor_divide(a.w, b.w)); }
fn i32_floor_divide4(a: vec4<i32>, b: vec4<i32>) -> vec4<i32> { return vec4<i32>(i32_floor_divide(a.x, b.x), i32_floor_divide(a.y, b.y), i32_floor_divide(a.z, b.z), i32_floor_divide(a.w, b.w)); }
fn u32_floor_divide4(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> { return vec4<u32>(u32_floor_divide(a.x, b.x), u32_floor_divide(a.y, b.y), u32_floor_divide(a.z, b.z), u32_floor_divide(a.w, b.w)); }
fn u32_mul_high4(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> { return vec4<u32>(u32_mul_high(a.x, b.x), u32_mul_high(a.y, b.y), u32_mul_high(a.z, b.z), u32_mul_high(a.w, b.w)); }
