// Multiplies the gradients in an arena by a factor, in place. Lines marked @lib stand in for shaders/lib.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: any number of invocations; they stride over the arena, RUN vec4s in a row.

const WORKGROUP = 64u;
const RUN = 16u; // vec4s: a divisor of 16

struct Params { count: u32 } // in vec4s, a multiple of 16

@group(0) @binding(0) var<storage, read_write> grad: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(2) var<storage, read> segments: array<u32>; // 0: skipped
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const STATE_NONE = 0u; // @lib

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  var begin = id.x * RUN;
  if (begin >= params.count) {
    return;
  }
  loop {
    if (segments[blocks[begin / 16u]] == STATE_NONE) {
      continue;
    }
    var i = begin;
    loop {
      grad[i] = grad[i] * factor[0];
      continuing {
        i++;
        break if i >= begin + RUN;
      }
    }
    continuing {
      begin += workgroups.x * WORKGROUP * RUN;
      break if begin >= params.count;
    }
  }
}
