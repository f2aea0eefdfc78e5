// output[i] = epilogue(sum_p partials[p, i]), in the order of p: the second pass of kernels that split their sum. Behind the partials of
// `count` elements may lie those of `rest_count` more, which go elsewhere: others[i] = sum_p partials[p, i] of those.
// Grid: one invocation an element, folded into x and y.

const WORKGROUP = 64u;

struct Params { count: u32, rest_count: u32, parts: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<storage, read_write> others: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook
fn store_rest(value: f32, index: u32) { others[index] = value; } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (index >= params.count + params.rest_count) {
    return;
  }
  let is_rest = index >= params.count;
  let step = select(params.count, params.rest_count, is_rest);
  let first = select(index, params.parts * params.count + index - params.count, is_rest);
  var sum = partials[first];
  for (var part = 1u; part < params.parts; part++) {
    sum += partials[first + part * step];
  }
  if (is_rest) {
    store_rest(sum, index - params.count);
  } else {
    output[index] = epilogue(sum, index);
  }
}
