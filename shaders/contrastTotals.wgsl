// output[query] = (log sum exp of the scores of all chunks, how many are above the bar): the second pass of contrast.
// Grid: one invocation a query, folded into x and y.

const WORKGROUP = 64u;
const LOWEST = -3.4028234e38;

struct Params { queries: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> partials: array<vec4<f32>>; // [chunks, queries]: largest, sum, above, NaN
@group(0) @binding(1) var<storage, read_write> output: array<f32>; // [queries, 2]
@group(0) @binding(2) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook
fn inf_of(x: f32) -> f32 { return x / 0.0f; } // @lib
fn nan_of(x: f32) -> f32 { return x; } // @lib
fn ieee_log(x: f32) -> f32 { return log(x); } // @lib

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
  let log_sum = select(largest + ieee_log(sum), -inf_of(1.0), sum == 0.0);
  output[2u * query] = epilogue(select(log_sum, nan_of(1.0), wrong > 0.0), 2u * query);
  output[2u * query + 1u] = epilogue(above, 2u * query + 1u);
}
