// output[o] = epilogue(fold over r of load(r, o)); four neighbouring outputs an invocation.
// The rows are cut into `splits` chunks; with more than one, output is [splits, outputs rounded up to 4] and another pass
// folds it. A chunk is folded turn by turn and block by block, so that rounding does not add up along all of it. The order of the fold is fixed by the
// sizes alone.
// Grid: (ceil(ceil(outputs / 4) * splits / WORKGROUP), 1, 1), folded into y beyond 65,535.

const WORKGROUP = 16u;
const BLOCK = 64u; // turns
const RUN = 1u; // rows at a turn: a divisor of those of a chunk, and of all

alias Value = f32;

struct Params {
  outputs: u32,
  rows: u32,
  splits: u32,
  chunk: u32, // rows of one chunk
  pitch: u32, // outputs from one row of `input` to the next
}

@group(0) @binding(0) var<storage, read> input: array<Value>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

fn load4(row: u32, vec: u32) -> vec4<Value> { let i = row * params.pitch + 4u * vec; return vec4<Value>(input[i], input[i + 1u], input[i + 2u], input[i + 3u]); } // @hook
fn identity() -> Value { return Value(0); } // @hook
fn combine4(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a + b; } // @hook
fn epilogue4(value: vec4<Value>, index: u32) -> vec4<u32> { return bitcast<vec4<u32>>(value); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let columns = (params.outputs + 3u) / 4u;
  let job = id.y * groups.x * WORKGROUP + id.x;
  if (job >= columns * params.splits) { return; }
  let vec = job % columns;
  let start = (job / columns) * params.chunk;
  let end = min(start + params.chunk, params.rows);
  var acc = vec4<Value>(identity());
  for (var block = start; block < end; block += BLOCK * RUN) {
    var part = vec4<Value>(identity());
    for (var row = block; row < min(block + BLOCK * RUN, end); row += RUN) {
      var turn = load4(row, vec);
      // @unroll
      for (var k = 1u; k < RUN; k++) {
        turn = combine4(turn, load4(row + k, vec));
      }
      part = combine4(part, turn);
    }
    acc = combine4(acc, part);
  }
  output[job] = epilogue4(acc, 4u * job);
}
