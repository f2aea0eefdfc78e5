// LARS over a whole arena, in place; larsNorms and larsTrust come first. Lines marked @lib stand in for shaders/lib/update.wgsl.
// An invocation takes RUN vec4s in a row, within one block of 64 elements, so a segment is looked up once for all of them.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: any number of invocations; they stride over the arena.

const WORKGROUP = 64u;
const RUN = 16u; // vec4s: a divisor of 16
const STATE_ADAPTED = 2u;

struct Params { count: u32 } // in vec4s, a multiple of 16

@group(0) @binding(0) var<storage, read_write> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> mu: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(4) var<storage, read> segments: array<u32>; // group << 2 | state
@group(0) @binding(5) var<storage, read> trusts: array<f32>; // of a segment
@group(0) @binding(6) var<uniform> groups: array<LarsGroup, 32>;
@group(0) @binding(7) var<uniform> params: Params;

const STATE_NONE = 0u; // @lib
struct LarsGroup { lr: f32, momentum: f32, weight_decay: f32, trust_coefficient: f32 } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  var begin = id.x * RUN;
  if (begin >= params.count) {
    return;
  }
  loop {
    let segment = blocks[begin / 16u];
    let word = segments[segment];
    if ((word & 3u) == STATE_NONE) {
      continue;
    }
    let group = groups[word >> 2u];
    let trust = trusts[segment];
    let is_adapted = (word & 3u) == STATE_ADAPTED;
    var i = begin;
    loop {
      let direction = select(grad[i], (grad[i] + group.weight_decay * param[i]) * trust, is_adapted);
      let velocity = group.momentum * mu[i] + direction;
      mu[i] = velocity;
      param[i] = param[i] - group.lr * velocity;
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
