// RMSprop over a whole arena, in place. Lines marked @lib stand in for shaders/lib.
// An invocation takes RUN vec4s in a row, within one block of 64 elements, so a segment is looked up once for all of them.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: any number of invocations; they stride over the arena.

const WORKGROUP = 64u;
const RUN = 16u; // vec4s: a divisor of 16
const MOMENTUM = 1u; // 0u where no group has it: then momentum_buffer is neither read nor written
const CENTERED = 1u; // 0u where no group is: then grad_avg is neither read nor written

struct Params { count: u32 } // in vec4s, a multiple of 16

@group(0) @binding(0) var<storage, read_write> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> square_avg: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> momentum_buffer: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> grad_avg: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(6) var<storage, read> segments: array<u32>; // group << 2 | state
@group(0) @binding(7) var<uniform> groups: array<RmsPropGroup, 32>;
@group(0) @binding(8) var<uniform> params: Params;

const STATE_NONE = 0u; // @lib
struct RmsPropGroup { lr: f32, alpha: f32, one_minus_alpha: f32, eps: f32, weight_decay: f32, momentum: f32, centered: f32, maximize: f32 } // @lib
fn effective_grad(grad: vec4<f32>, param: vec4<f32>, weight_decay: f32, maximize: f32) -> vec4<f32> { return grad; } // @lib
fn square_roots(x: vec4<f32>) -> vec4<f32> { return sqrt(x); } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  var begin = id.x * RUN;
  if (begin >= params.count) {
    return;
  }
  loop {
    let segment = segments[blocks[begin / 16u]];
    if ((segment & 3u) == STATE_NONE) {
      continue;
    }
    let group = groups[segment >> 2u];
    let has_momentum = group.momentum > 0.0;
    let is_centered = group.centered != 0.0;
    var i = begin;
    loop {
      let g = effective_grad(grad[i], param[i], group.weight_decay, group.maximize);
      let square = group.alpha * square_avg[i] + group.one_minus_alpha * g * g;
      square_avg[i] = square;
      var variance = square;
      if (CENTERED == 1u) {
        let before = grad_avg[i];
        let mean = select(before, group.alpha * before + group.one_minus_alpha * g, is_centered);
        grad_avg[i] = mean;
        variance = select(square, square - mean * mean, is_centered);
      }
      var direction = g / (square_roots(variance) + group.eps);
      if (MOMENTUM == 1u) {
        let before = momentum_buffer[i];
        direction = select(direction, group.momentum * before + direction, has_momentum);
        momentum_buffer[i] = select(before, direction, has_momentum);
      }
      param[i] = param[i] - group.lr * direction;
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
