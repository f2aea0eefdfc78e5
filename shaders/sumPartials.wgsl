// output[i] = epilogue(sum_p partials[p, i]), in the order of p: the second pass of kernels that split their sum.
// Grid: one invocation an element, folded into x and y.

const WORKGROUP = 64u;

struct Params { count: u32, parts: u32 }

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (index >= params.count) {
    return;
  }
  var sum = partials[index];
  for (var part = 1u; part < params.parts; part++) {
    sum += partials[part * params.count + index];
  }
  output[index] = epilogue(sum, index);
}
