// Functions that fused expressions call where WGSL's own may differ from IEEE 754 as PyTorch shows it: compilers may assume
// that there is no NaN and no infinity, so NaN is told by its bits, and what depends on it is chosen with select.
// `name` takes a scalar, `name4` a vec4. Polynomials are those of Cephes, but for exp's, within 2 ULP, and equal on all adapters.

// Bits without their sign are compared as i32: software adapters have no comparison of u32.

// --- kinds of floats --------------------------------------------------------------------------------------------------

fn is_nan(x: f32) -> bool { return (bitcast<i32>(x) & 0x7fffffffi) > 0x7f800000i; }
fn is_nan4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<i32>>(x) & vec4<i32>(0x7fffffffi)) > vec4<i32>(0x7f800000i); }

fn is_inf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
fn is_inf4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) == vec4<u32>(0x7f800000u); }

fn is_finite(x: f32) -> bool { return (bitcast<i32>(x) & 0x7fffffffi) < 0x7f800000i; }
fn is_finite4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<i32>>(x) & vec4<i32>(0x7fffffffi)) < vec4<i32>(0x7f800000i); }

// true for NaN
fn is_nonzero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }
fn is_nonzero4(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u); }

// A NaN, and an infinity with the sign of x. They depend on x, since constant ones do not compile.
fn nan_of(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
fn nan_of4(x: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) | vec4<u32>(0x7fc00000u)); }
fn inf_of(x: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x80000000u) | 0x7f800000u); }

// The f16 nearest to x, ties to even, as an f32: what is too large is infinity. WGSL's own conversion may round otherwise.
fn round_half(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  let sign = bits & 0x80000000u;
  if (size >= 0x7f800000u) { return x; } // infinity, NaN
  if (size >= 0x477ff000u) { return bitcast<f32>(sign | 0x7f800000u); } // from 65520
  if (size >= 0x38800000u) { return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u); }
  let small = round(bitcast<f32>(size) * 16777216.0) / 16777216.0; // below 2^-14: multiples of 2^-24
  return bitcast<f32>(sign | bitcast<u32>(small));
}
fn round_half4(x: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(round_half(x.x), round_half(x.y), round_half(x.z), round_half(x.w));
}

// The magnitude of x with the sign of y.
fn with_sign(x: f32, y: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(y) & 0x80000000u)); }
fn with_sign4(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>((bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) | (bitcast<vec4<u32>>(y) & vec4<u32>(0x80000000u)));
}

// The first 12 bits of a float: the product of two such is exact.
fn first_bits(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }

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

fn maximum(a: f32, b: f32) -> f32 { return select(b, a, ((a > b) & !is_nan(b)) | is_nan(a)); }
fn maximum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(b, a, ((a > b) & !is_nan4(b)) | is_nan4(a)); }

fn minimum(a: f32, b: f32) -> f32 { return select(b, a, ((a < b) & !is_nan(b)) | is_nan(a)); }
fn minimum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(b, a, ((a < b) & !is_nan4(b)) | is_nan4(a)); }

// Bits of what is at most -0, and no NaN, are those of the least integers.
fn relu(x: f32) -> f32 { return select(x, 0.0, bitcast<i32>(x) < -8388607i); }
fn relu4(x: vec4<f32>) -> vec4<f32> { return select(x, vec4<f32>(0.0), bitcast<vec4<i32>>(x) < vec4<i32>(-8388607i)); }

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

// exp(r) for |r| <= 0.35: least relative error of its degree, 3e-9 before rounding
fn exp_near_0(r: f32) -> f32 {
  return (((((1.38145394e-3 * r + 8.36874545e-3) * r + 4.1668389e-2) * r + 0.166665211) * r + 0.49999994) * r + 1.0) * r + 1.0;
}

// exp(r) - 1 for |r| <= 0.35
fn expm1_near_0(r: f32) -> f32 {
  let p = ((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 5.0000001201e-1;
  return p * r * r + r;
}

fn power_of_two(exponent: i32) -> f32 { return bitcast<f32>(u32(exponent + 127) << 23u); }

// The integer nearest to x, for |x| < 2^22: the last bits of a sum, which adapters round to nearest. A conversion looks out for larger
// ones, which costs more.
fn nearest(x: f32) -> i32 { return bitcast<i32>(x + 12582912.0) - 0x4b400000i; }

// x 2^exponent, also where 2^exponent is no float
fn scale_by_two(x: f32, exponent: i32) -> f32 {
  let half = exponent >> 1u;
  return x * power_of_two(half) * power_of_two(exponent - half);
}

// x - k ln 2, the first part of it exact
fn take_ln2(x: f32, k: f32) -> f32 { return (x - k * 0.693359375) + k * 2.12194440e-4; }

// 2^exponent e^x for x in [-104, 90]
fn scaled_exp(x: f32, exponent: i32) -> f32 {
  let k = nearest(x * 1.44269504);
  return scale_by_two(exp_near_0(take_ln2(x, f32(k))), k + exponent);
}

// 2^exponent y for y in [0.7, 1.5], where that is a normal number.
fn add_exponent(y: f32, exponent: i32) -> f32 { return bitcast<f32>(bitcast<i32>(y) + (exponent << 23u)); }

// What would be subnormal is 0. Where it is infinity or 0 whatever x is, what the polynomial makes is not used.
fn ieee_exp(x: f32) -> f32 {
  let k = nearest(x * 1.44269504);
  let y = add_exponent(exp_near_0(take_ln2(x, f32(k))), k);
  return select(select(select(y, 0.0, x < -87.33654), inf_of(abs(x)), x > 88.72283), x, is_nan(x));
}

fn ieee_exp2(x: f32) -> f32 {
  let k = nearest(x);
  let y = add_exponent(exp_near_0((x - f32(k)) * 0.693147181), k);
  return select(select(select(y, 0.0, x < -126.0), inf_of(abs(x)), x >= 128.0), x, is_nan(x));
}

fn expm1(x: f32) -> f32 {
  let inside = clamp(x, -20.0, 80.0);
  let k = round(inside * 1.44269504);
  let scale = power_of_two(i32(k));
  let y = scale * expm1_near_0(take_ln2(inside, k)) + (scale - 1.0);
  return select(select(y, ieee_exp(x), x > 80.0), x, is_nan(x) | (x == 0.0));
}

fn sigmoid(x: f32) -> f32 {
  let e = ieee_exp(-abs(x));
  return select(select(e, 1.0, x >= 0.0) / (1.0 + e), x, is_nan(x));
}

// --- hyperbolic functions ---------------------------------------------------------------------------------------------

fn ieee_tanh(x: f32) -> f32 {
  let t = expm1(2.0 * min(abs(x), 10.0));
  return select(with_sign(t / (t + 2.0), x), x, is_nan(x));
}

fn ieee_sinh(x: f32) -> f32 {
  let size = min(abs(x), 90.0);
  let half = scaled_exp(size, -1);
  let z = size * size;
  let near = ((2.78221319e-6 * z + 1.98428956e-4) * z + 8.33331048e-3) * z + 0.166666672;
  let y = select(half - 0.25 / half, near * z * size + size, size < 1.0);
  return select(with_sign(select(y, inf_of(size), size > 89.41598), x), x, is_nan(x));
}

fn ieee_cosh(x: f32) -> f32 {
  let size = min(abs(x), 90.0);
  let half = scaled_exp(size, -1);
  return select(select(half + 0.25 / half, inf_of(size), size > 89.41598), x, is_nan(x));
}

fn ieee_asinh(x: f32) -> f32 {
  let size = abs(x);
  let s = min(size, 1e4);
  let y = select(log1p(s + s * s / (1.0 + sqrt(1.0 + s * s))), ieee_log(size) + 0.693147181, size > 1e4);
  return select(with_sign(y, x), x, is_nan(x));
}

fn ieee_acosh(x: f32) -> f32 {
  let t = min(x, 1e4) - 1.0;
  let y = select(log1p(t + sqrt(max(t, 0.0) * (t + 2.0))), ieee_log(x) + 0.693147181, x > 1e4);
  return select(y, nan_of(x), (x < 1.0) | is_nan(x));
}

fn ieee_atanh(x: f32) -> f32 {
  let size = abs(x);
  let y = with_sign(select(0.5 * log1p(2.0 * size / (1.0 - size)), inf_of(size), size == 1.0), x);
  return select(y, nan_of(x), (size > 1.0) | is_nan(x));
}

// --- error function ---------------------------------------------------------------------------------------------------

// for |x| <= 1
fn erf_near_0(x: f32) -> f32 {
  let z = x * x;
  var p = 7.80690316e-5;
  p = p * z - 7.99785310e-4;
  p = p * z + 5.18716220e-3;
  p = p * z - 2.68533472e-2;
  p = p * z + 0.112835787;
  p = p * z - 0.376126260;
  return (p * z + 0.128379166) * x + x;
}

// 1 + erf(-inf) has to be 0, and is.
fn erf(x: f32) -> f32 {
  let s = min(abs(x), 4.0);
  var p = -2.16934368e-5; // log(1 - erf(s)) for s in [1, 4]
  p = p * s + 4.41430602e-4;
  p = p * s - 4.20511607e-3;
  p = p * s + 2.52099931e-2;
  p = p * s - 0.108421713;
  p = p * s - 0.633216619;
  p = p * s - 1.12958026;
  p = p * s + 1.8846766e-4;
  let y = select(1.0 - scaled_exp(p, 0), erf_near_0(s), s < 1.0);
  return select(with_sign(y, x), x, is_nan(x));
}

fn erfc(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (abs(x) < 0.5) { return 1.0 - erf_near_0(x); }
  let s = min(abs(x), 10.1);
  let t = (s - 2.0) / (s + 2.0);
  var p = -1.32406643e-3; // exp(s^2) (1 + 2 s) erfc(s) for s in [0.5, 10.1]
  p = p * t + 9.54479387e-4;
  p = p * t + 8.69875401e-3;
  p = p * t - 7.95156788e-3;
  p = p * t - 5.42196035e-2;
  p = p * t + 0.164043263;
  p = p * t - 0.166030228;
  p = p * t - 9.27636325e-2;
  p = p * t + 1.27697837;
  let high = first_bits(s); // its square is exact
  let y = scaled_exp(-high * high, 0) * (1.0 + expm1_near_0((high - s) * (high + s))) * (p / (1.0 + 2.0 * s));
  return select(select(y, 0.0, s > 10.05), 2.0 - y, x < 0.0);
}

// x times a polynomial of w = -log(1 - x^2) in the middle, of sqrt(w) near the ends
fn erfinv(x: f32) -> f32 {
  let w = -ieee_log(max((1.0 - x) * (1.0 + x), 1e-10));
  let m = w - 2.5;
  var p = -8.23597546e-9;
  p = p * m + 2.81843331e-8;
  p = p * m + 4.59943863e-7;
  p = p * m - 3.52365078e-6;
  p = p * m - 4.94347387e-6;
  p = p * m + 2.18577377e-4;
  p = p * m - 1.25275564e-3;
  p = p * m - 4.17766860e-3;
  p = p * m + 0.24664028;
  p = p * m + 1.50140941;
  let t = sqrt(w) - 3.0;
  var q = -2.02084775e-4;
  q = q * t + 9.99480835e-5;
  q = q * t + 1.35589263e-3;
  q = q * t - 3.67247895e-3;
  q = q * t + 5.73389512e-3;
  q = q * t - 7.62287341e-3;
  q = q * t + 9.44042858e-3;
  q = q * t + 1.00167418;
  q = q * t + 2.83297682;
  let y = select(x * select(q, p, w < 5.0), inf_of(x), abs(x) == 1.0);
  return select(y, nan_of(x), (abs(x) > 1.0) | is_nan(x));
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

// x = 2^exponent (1 + fraction), 1 + fraction in [sqrt(1/2), sqrt(2)]
struct Scaled { exponent: f32, fraction: f32 }

fn scaled(x: f32) -> Scaled {
  let shifted = bitcast<u32>(x) - 0x3f3504f3u;
  return Scaled(f32(bitcast<i32>(shifted) >> 23u), bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0);
}

// What any logarithm is where x is not a positive number; y elsewhere.
fn log_or_edge(x: f32, y: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) < 0x00800000u) { return -inf_of(abs(x)); } // 0, and what is flushed to 0
  if ((bits > 0x80000000u) | is_nan(x)) { return nan_of(x); }
  return select(y, x, bits == 0x7f800000u);
}

fn log_of(s: Scaled) -> f32 {
  return (log1p_rest(s.fraction) - 2.12194440e-4 * s.exponent) + s.fraction + 0.693359375 * s.exponent;
}

fn ieee_log(x: f32) -> f32 { return log_or_edge(x, log_of(scaled(x))); }

// 1 / log(2) = 1 + 0.4426950409
fn ieee_log2(x: f32) -> f32 {
  let s = scaled(x);
  let y = (log1p_rest(s.fraction) * 1.44269504 + s.fraction * 0.442695041) + s.fraction + s.exponent;
  return log_or_edge(x, y);
}

// 1 / log(10) = 0.43359375 + 7.0073190e-4; log10(2) = 0.30078125 + 2.4874566e-4
fn ieee_log10(x: f32) -> f32 {
  let s = scaled(x);
  let low = log1p_rest(s.fraction) * 0.434294482 + s.fraction * 7.0073190e-4 + s.exponent * 2.4874566e-4;
  return log_or_edge(x, low + s.fraction * 0.43359375 + s.exponent * 0.30078125);
}

fn log1p(x: f32) -> f32 {
  let exponent = scaled(1.0 + x).exponent;
  let scale = power_of_two(-i32(clamp(exponent, -100.0, 100.0)));
  let fraction = (scale - 1.0) + x * scale; // of the sum before it was rounded
  let y = select(log_of(Scaled(exponent, fraction)), ieee_log(x), x > 1e10);
  return select(log_or_edge(1.0 + x, y), x, x == 0.0);
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

// without overflow
fn hypot(a: f32, b: f32) -> f32 {
  let high = max(abs(a), abs(b));
  let shift = select(select(0i, -80i, high > 1e18), 100i, high < 1e-14);
  let x = a * power_of_two(shift);
  let y = b * power_of_two(shift);
  let bounded = select(sqrt(x * x + y * y) * power_of_two(-shift), high, high == 0.0);
  return select(select(bounded, nan_of(a), is_nan(a) | is_nan(b)), inf_of(high), is_inf(a) | is_inf(b));
}

// log2(a) of a positive number in two parts: 12 bits, and the rest. With s = f / (2 + f) it is
// exponent + 2 / ln 2 (s + s^3 / 3 + ...); products of parts of 12 bits are exact.
fn log2_in_parts(a: f32) -> vec2<f32> {
  let m = scaled(a);
  let f = m.fraction;
  let s = first_bits(f / (2.0 + f));
  let divisor = first_bits(2.0 + f);
  let rest = ((f - s * divisor) - s * (f - (divisor - 2.0))) / (2.0 + f);
  let z = (s + rest) * (s + rest);
  let tail = rest + (s + rest) * z * (((9.73211899e-2 * z + 0.143195972) * z + 0.19999671) * z + 0.333333343);
  let high = first_bits(s + tail);
  let low = tail - (high - s);
  let whole = high * 2.884765625; // 2 / ln 2 = 2.884765625 + 6.24456778e-4
  let part = low * 2.884765625 + (high + low) * 6.24456778e-4;
  let sum = first_bits(m.exponent + (whole + part));
  return vec2<f32>(sum, (m.exponent - sum) + whole + part);
}

// a^b for a positive a other than 1
fn positive_power(a: f32, b: f32) -> f32 {
  let is_growing = (a > 1.0) == (b > 0.0);
  if (is_inf(a) | is_inf(b) | (a < 1.17549435e-38)) { return select(0.0, inf_of(abs(a)), is_growing); }
  let log = log2_in_parts(a);
  let n = clamp(b, -4294967296.0, 4294967296.0);
  let high = first_bits(n);
  let whole = log.x * high;
  let part = log.y * n + log.x * (n - high);
  if (abs(whole + part) > 160.0) { return select(0.0, inf_of(abs(a)), is_growing); }
  let k = round(whole + part);
  let r = (whole - k) + part;
  let y = scale_by_two(1.0 + expm1_near_0(r * 0.693147181), i32(k));
  return select(y, inf_of(y), whole + part >= 128.0);
}

fn power(a: f32, b: f32) -> f32 {
  if ((b == 0.0) | (a == 1.0)) { return 1.0; }
  if (is_nan(a) | is_nan(b)) { return nan_of(a); }
  let magnitude = abs(a);
  var y = 1.0;
  if (magnitude != 1.0) { y = positive_power(magnitude, b); }
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
  // parts of pi / 2, so short that k times each of them is exact, but for the last
  let rest = (((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.549533620476722717e-8) - k * 2.563344068e-12;
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
  return select(sine_of(reduce_angle(x)), x, x == 0.0);
}

fn ieee_cos(x: f32) -> f32 {
  if (!is_finite(x)) { return nan_of(x); }
  let angle = reduce_angle(x);
  return sine_of(Angle(angle.rest, angle.quadrant + 1u));
}

fn ieee_tan(x: f32) -> f32 {
  if (!is_finite(x)) { return nan_of(x); }
  if (x == 0.0) { return x; }
  let angle = reduce_angle(x);
  let z = angle.rest * angle.rest;
  var p = 4.37247567e-3;
  p = p * z + 9.85970692e-5;
  p = p * z + 1.08272452e-2;
  p = p * z + 2.12862547e-2;
  p = p * z + 5.40589094e-2;
  p = p * z + 0.133326754;
  p = p * z + 0.333333492;
  let t = p * z * angle.rest + angle.rest;
  return select(t, -1.0 / t, (angle.quadrant & 1u) == 1u);
}

// --- inverse trigonometric functions ----------------------------------------------------------------------------------

// pi / 2 - x; pi / 2 = 1.57079637 - 4.37113883e-8
fn complement(x: f32) -> f32 { return (1.57079637 - x) - 4.37113883e-8; }

// for x in [0, 0.5]
fn asin_near_0(x: f32) -> f32 {
  let z = x * x;
  let p = ((((3.76972705e-2 * z + 1.43147064e-2) * z + 3.18390988e-2) * z + 4.45133746e-2) * z + 7.50052184e-2) * z + 0.166666597;
  return p * z * x + x;
}

// Half of acos, for x in [0.5, 1]: sin(acos(x) / 2) = sqrt((1 - x) / 2).
fn half_acos(x: f32) -> f32 { return asin_near_0(sqrt(max(0.5 - 0.5 * x, 0.0))); }

fn ieee_asin(x: f32) -> f32 {
  let size = abs(x);
  if (is_nan(x) | (size > 1.0)) { return nan_of(x); }
  if (size < 0.5) { return with_sign(asin_near_0(size), x); }
  return with_sign(complement(2.0 * half_acos(size)), x);
}

fn ieee_acos(x: f32) -> f32 {
  let size = abs(x);
  if (is_nan(x) | (size > 1.0)) { return nan_of(x); }
  if (size < 0.5) { return complement(with_sign(asin_near_0(size), x)); }
  let y = 2.0 * half_acos(size);
  return select(y, (3.14159274 - y) - 8.74227766e-8, x < 0.0);
}

// for x in [0, 1]
fn atan_near_0(x: f32) -> f32 {
  let z = x * x;
  var p = 1.13452214e-3;
  p = p * z - 7.42536318e-3;
  p = p * z + 2.27776170e-2;
  p = p * z - 4.49832566e-2;
  p = p * z + 6.76364899e-2;
  p = p * z - 8.82146209e-2;
  p = p * z + 0.110612333;
  p = p * z - 0.142803431;
  p = p * z + 0.199997157;
  p = p * z - 0.333333284;
  return p * z * x + x;
}

fn ieee_atan(x: f32) -> f32 {
  let size = abs(x);
  let y = atan_near_0(select(size, 1.0 / size, size > 1.0));
  return select(with_sign(select(y, complement(y), size > 1.0), x), x, is_nan(x));
}

fn atan2_of(y: f32, x: f32) -> f32 {
  if (is_nan(x) | is_nan(y)) { return nan_of(x + y); }
  let high = max(abs(x), abs(y));
  let low = min(abs(x), abs(y));
  let scale = select(1.0, 0.25, high > 4e37); // a quotient by more than 2^126 need not be exact
  var ratio = 0.0;
  if (is_inf(high)) { ratio = select(0.0, 1.0, is_inf(low)); }
  else if (high > 0.0) { ratio = (low * scale) / (high * scale); }
  var angle = atan_near_0(ratio);
  if (abs(y) > abs(x)) { angle = complement(angle); }
  if (bitcast<u32>(x) >= 0x80000000u) { angle = (3.14159274 - angle) - 8.74227766e-8; }
  return with_sign(angle, y);
}

// --- quotients, and what they leave -------------------------------------------------------------------------------------

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

fn fmod(a: f32, b: f32) -> f32 { return rest_of(a, b); }

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

// trunc(a / b), where the rest says how far the quotient is from an integer; it may round up to one
fn trunc_divide(a: f32, b: f32) -> f32 {
  let rest = rest_of(a, b);
  if ((b == 0.0) | is_nan(rest)) { return a / b; }
  return with_sign(trunc(round((a - rest) / b) + rest / b), bitcast<f32>(bitcast<u32>(a) ^ bitcast<u32>(b)));
}

fn i32_floor_divide(a: i32, b: i32) -> i32 {
  if (b == 0i) { return -1i; }
  let quotient = a / b;
  let rest = a - quotient * b;
  return quotient - select(0i, 1i, (rest != 0i) & ((rest < 0i) != (b < 0i)));
}

fn i32_remainder(a: i32, b: i32) -> i32 { return select(a - i32_floor_divide(a, b) * b, a, b == 0i); }
fn i32_trunc_divide(a: i32, b: i32) -> i32 { return select(a / b, -1i, b == 0i); }
fn i32_fmod(a: i32, b: i32) -> i32 { return select(a % b, a, b == 0i); }
fn u32_trunc_divide(a: u32, b: u32) -> u32 { return u32_floor_divide(a, b); }
fn u32_fmod(a: u32, b: u32) -> u32 { return u32_remainder(a, b); }
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
