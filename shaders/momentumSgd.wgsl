// SGD with momentum over a whole arena, in place. Lines marked @lib stand in for shaders/lib/update.wgsl.
// An invocation takes RUN vec4s in a row, within one block of 64 elements, so a segment is looked up once for all of them.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: any number of invocations; they stride over the arena.

const WORKGROUP = 64u;
const RUN = 16u; // vec4s: a divisor of 16

struct Params { count: u32 } // in vec4s, a multiple of 16

@group(0) @binding(0) var<storage, read_write> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> momentum: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(4) var<storage, read> segments: array<u32>; // group << 2 | state
@group(0) @binding(5) var<uniform> groups: array<Group, 32>;
@group(0) @binding(6) var<uniform> params: Params;

const STATE_NONE = 0u; // @lib
struct Group { lr: f32, momentum: f32, one_minus_dampening: f32, weight_decay: f32, nesterov: f32, classical: f32, maximize: f32, first: f32 } // @lib
struct Sgd { param: vec4<f32>, momentum: vec4<f32> } // @lib
fn momentum_sgd(group: Group, state: u32, param: vec4<f32>, grad: vec4<f32>, momentum: vec4<f32>) -> Sgd { return Sgd(param, momentum); } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  var begin = id.x * RUN;
  if (begin >= params.count) {
    return;
  }
  loop {
    let segment = segments[blocks[begin / 16u]];
    let state = segment & 3u;
    if (state == STATE_NONE) {
      continue;
    }
    let group = groups[segment >> 2u];
    var i = begin;
    loop {
      let sgd = momentum_sgd(group, state, param[i], grad[i], momentum[i]);
      param[i] = sgd.param;
      momentum[i] = sgd.momentum;
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
