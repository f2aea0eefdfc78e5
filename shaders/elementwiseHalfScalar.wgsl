enable f16;
// output[offset + i] = compute(i) in half precision, one element at a time: where neighbours after the end belong to somebody else.
// The hook rounds.
// Grid: (any, 1, 1).

const WORKGROUP = 64u;

struct Params { count: u32, offset: u32 }

@group(0) @binding(0) var<storage, read_write> output: array<f16>;
@group(0) @binding(1) var<uniform> params: Params;

fn compute(index: u32) -> f32 { return f32(index); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let stride = groups.x * WORKGROUP;
  for (var i = id.x; i < params.count; i += stride) {
    output[params.offset + i] = f16(compute(i));
  }
}
