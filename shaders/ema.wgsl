// key = key * m + param * (1 - m) over a whole arena, in place. Lines marked @lib stand in for shaders/lib/update.wgsl.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: any number of invocations; they stride over the arena, RUN vec4s in a row.

const WORKGROUP = 64u;
const RUN = 16u; // vec4s: a divisor of 16

struct Params { count: u32 } // in vec4s, a multiple of 16

@group(0) @binding(0) var<storage, read> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> key: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> coefficients: vec4<f32>; // m, 1 - m
@group(0) @binding(3) var<uniform> params: Params;

fn ema(key: vec4<f32>, param: vec4<f32>, m: f32, one_minus_m: f32) -> vec4<f32> { return key * m + param * one_minus_m; } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  var begin = id.x * RUN;
  if (begin >= params.count) {
    return;
  }
  loop {
    var i = begin;
    loop {
      key[i] = ema(key[i], param[i], coefficients.x, coefficients.y);
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
