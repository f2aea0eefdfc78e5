enable f16;
// output[offset + i] = compute(i) in half precision, four neighbours at a time; the grid strides over the output. The hook rounds.
// Buffers are padded to 16 bytes, so the last four may reach past the end.
// Grid: (any, 1, 1).

const WORKGROUP = 64u;
const RUN = 1u; // vec4s: a divisor of their count

struct Params { count: u32, offset: u32 } // both in vec4s

@group(0) @binding(0) var<storage, read_write> output: array<vec4<f16>>;
@group(0) @binding(1) var<uniform> params: Params;

fn compute4(vec: u32) -> vec4<f32> { return vec4<f32>(f32(vec)); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let stride = groups.x * WORKGROUP * RUN;
  for (var i = id.x * RUN; i < params.count; i += stride) {
    // @unroll
    for (var k = 0u; k < RUN; k++) {
      output[params.offset + i + k] = vec4<f16>(compute4(i + k));
    }
  }
}
