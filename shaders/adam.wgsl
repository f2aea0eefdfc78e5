// Adam or AdamW over a whole arena, in place. Lines marked @lib stand in for shaders/lib.
// An invocation takes RUN vec4s in a row, within one block of 64 elements, so a segment is looked up once for all of them.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: any number of invocations; they stride over the arena.

const WORKGROUP = 64u;
const RUN = 16u; // vec4s: a divisor of 16
const AMSGRAD = 1u; // 0u where no group has it: then max_exp_avg_sq is neither read nor written

struct Params { count: u32 } // in vec4s, a multiple of 16

@group(0) @binding(0) var<storage, read_write> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> exp_avg: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> exp_avg_sq: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> max_exp_avg_sq: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(6) var<storage, read> segments: array<u32>; // group << 2 | state
@group(0) @binding(7) var<storage, read> rates: array<vec2<f32>>; // of a segment: lr / (1 - beta1^t), sqrt(1 - beta2^t)
@group(0) @binding(8) var<uniform> groups: array<AdamGroup, 32>;
@group(0) @binding(9) var<uniform> params: Params;

const STATE_NONE = 0u; // @lib
struct AdamGroup { beta1: f32, one_minus_beta1: f32, beta2: f32, one_minus_beta2: f32, eps: f32, weight_decay: f32, keep: f32, maximize: f32, amsgrad: f32, unused0: f32, unused1: f32, unused2: f32 } // @lib
struct Moments { first: vec4<f32>, second: vec4<f32> } // @lib
fn adam_moments(group: AdamGroup, param: vec4<f32>, grad: vec4<f32>, exp_avg: vec4<f32>, exp_avg_sq: vec4<f32>) -> Moments { return Moments(exp_avg, exp_avg_sq); } // @lib
fn adam_step(group: AdamGroup, rate: vec2<f32>, param: vec4<f32>, first: vec4<f32>, second: vec4<f32>) -> vec4<f32> { return param; } // @lib
fn maximum4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return max(a, b); } // @lib

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
    let rate = rates[segment];
    var i = begin;
    loop {
      let moments = adam_moments(group, param[i], grad[i], exp_avg[i], exp_avg_sq[i]);
      var second = moments.second;
      if (AMSGRAD == 1u) {
        let largest = max_exp_avg_sq[i];
        second = select(second, maximum4(largest, second), group.amsgrad != 0.0);
        max_exp_avg_sq[i] = select(largest, second, group.amsgrad != 0.0);
      }
      param[i] = adam_step(group, rate, param[i], moments.first, second);
      exp_avg[i] = moments.first;
      exp_avg_sq[i] = moments.second;
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
