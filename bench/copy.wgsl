// output[i] = input[i], four neighbours at a time; the grid strides over them.
// Grid: any number of invocations in x.

const WORKGROUP = 64u;

struct Params { count: u32 } // in vec4s

@group(0) @binding(0) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let stride = workgroups.x * WORKGROUP;
  for (var i = id.x; i < params.count; i += stride) {
    output[i] = input[i];
  }
}
