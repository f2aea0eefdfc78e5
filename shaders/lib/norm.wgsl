// Norms of many numbers, folded in parts. KIND: 0: max |g|, 1: sum |g|, 2: sum g^2, 3: sum |g|^p, 4: min |g|; it is a constant
// where it is used, so that one way is left. Lines marked @lib stand in for shaders/lib/math.wgsl.

fn maximum(a: f32, b: f32) -> f32 { return max(a, b); } // @lib
fn minimum(a: f32, b: f32) -> f32 { return min(a, b); } // @lib
fn maximum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return max(a, b); } // @lib
fn minimum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return min(a, b); } // @lib
fn ieee_sqrt(x: f32) -> f32 { return sqrt(x); } // @lib
fn power(a: f32, b: f32) -> f32 { return pow(a, b); } // @lib

const NORM_MAX = 0u;
const NORM_SQUARES = 2u;
const NORM_POWERS = 3u;
const NORM_MIN = 4u;

/// What changes nothing when it is joined; infinity is no constant expression of WGSL.
fn norm_identity(kind: u32) -> f32 {
  var bits = select(0u, 0x7f800000u, kind == NORM_MIN);
  return bitcast<f32>(bits);
}

fn norm_join(kind: u32, a: f32, b: f32) -> f32 {
  if (kind == NORM_MAX) { return maximum(a, b); }
  if (kind == NORM_MIN) { return minimum(a, b); }
  return a + b;
}

fn norm_join4(kind: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  if (kind == NORM_MAX) { return maximum4(a, b); }
  if (kind == NORM_MIN) { return minimum4(a, b); }
  return a + b;
}

/// What a number adds to the norm of order p.
fn norm_of4(kind: u32, g: vec4<f32>, p: f32) -> vec4<f32> {
  if (kind == NORM_SQUARES) { return g * g; }
  if (kind == NORM_POWERS) {
    return vec4<f32>(power(abs(g.x), p), power(abs(g.y), p), power(abs(g.z), p), power(abs(g.w), p));
  }
  return abs(g);
}

/// The norm, from all that was joined; `inverse` is 1 / p.
fn norm_root(kind: u32, folded: f32, inverse: f32) -> f32 {
  if (kind == NORM_SQUARES) { return ieee_sqrt(folded); }
  if (kind == NORM_POWERS) { return power(folded, inverse); }
  return folded;
}
