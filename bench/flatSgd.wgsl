// v = momentum * v + g; w = w - lr * v, four neighbours at a time; the grid strides over them.
// Grid: any number of invocations in x.

const WORKGROUP = 64u;
const LR = 0.01;
const MOMENTUM = 0.9;

struct Params { count: u32 } // in vec4s

@group(0) @binding(0) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> param: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> momentum: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let stride = workgroups.x * WORKGROUP;
  for (var i = id.x; i < params.count; i += stride) {
    let v = MOMENTUM * momentum[i] + grad[i];
    momentum[i] = v;
    param[i] -= LR * v;
  }
}
