// output[i] = x -> fma(x, factor, addend), applied UNROLL * turns times to eight values each, summed: multiply-adds in
// registers only. 8 live registers: more of them spill on software adapters, fewer wait for one another; a long body, since
// a turn of the loop costs there as much as 50 multiply-adds.
// Grid: any number of invocations in x.

const WORKGROUP = 64u;
const UNROLL = 32u;

struct Params { factor: f32, addend: f32, turns: u32 } // unknown to the compiler, so that nothing folds

@group(0) @binding(0) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let start = f32(id.x % 8u);
  let factor = vec4<f32>(params.factor);
  let addend = vec4<f32>(params.addend);
  var a = vec4<f32>(start, start + 1.0, start + 2.0, start + 3.0);
  var b = a + 4.0;
  for (var turn = 0u; turn < params.turns; turn++) {
    // @unroll
    for (var i = 0u; i < UNROLL; i++) {
      a = fma(a, factor, addend);
      b = fma(b, factor, addend);
    }
  }
  let sum = a + b;
  output[id.x] = sum.x + sum.y + sum.z + sum.w;
}
