// The second pass of contrast: of each query the loss softplus(others - scale * own), others being the log of the sum of exp of all chunks'
// scores; the log of the sum with its own score in it; the others' part in that sum; how many products are above its own.
// Grid: one invocation a query, folded into x and y.

const WORKGROUP = 64u;
const LOWEST = -3.4028234e38;

struct Params { queries: u32, chunks: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> partials: array<vec4<f32>>; // [chunks, queries]: largest, sum, above, NaN
@group(0) @binding(1) var<storage, read> own: array<f32>; // [queries]
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // [queries, 4]
@group(0) @binding(3) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook
fn inf_of(x: f32) -> f32 { return x / 0.0f; } // @lib
fn nan_of(x: f32) -> f32 { return x; } // @lib
fn is_nan(x: f32) -> bool { return x != x; } // @lib
fn ieee_log(x: f32) -> f32 { return log(x); } // @lib
fn ieee_exp(x: f32) -> f32 { return exp(x); } // @lib
fn log1p(x: f32) -> f32 { return log(1.0 + x); } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (query >= params.queries) {
    return;
  }
  var largest = LOWEST;
  var wrong = 0.0;
  for (var part = 0u; part < params.chunks; part++) {
    let found = partials[part * params.queries + query];
    largest = max(largest, found.x);
    wrong = max(wrong, found.w);
  }
  var sum = 0.0;
  var above = 0.0;
  for (var part = 0u; part < params.chunks; part++) {
    let found = partials[part * params.queries + query];
    sum += found.y * select(exp(found.x - largest), 1.0, found.x == largest);
    above += found.z;
  }
  let is_wrong = wrong > 0.0;
  let others = select(largest + ieee_log(sum), -inf_of(1.0), sum == 0.0);
  let score = params.scale * own[query];
  let distance = others - score;
  let small = ieee_exp(-abs(distance)); // of what is smaller in part of what is larger
  let loss = max(distance, 0.0) + log1p(small);
  let rest = select(small, 1.0, distance > 0.0) / (1.0 + small);
  let any_nan = is_wrong | is_nan(distance);
  let at = 4u * query;
  output[at] = epilogue(select(loss, nan_of(1.0), any_nan), at);
  output[at + 1u] = epilogue(select(score + loss, nan_of(1.0), any_nan), at + 1u);
  output[at + 2u] = epilogue(select(rest, nan_of(1.0), any_nan), at + 2u);
  output[at + 3u] = epilogue(above, at + 3u);
}
