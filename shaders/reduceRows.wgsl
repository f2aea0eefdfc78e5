// output[o] = epilogue(fold over (outer, inner) of load(o, outer, inner)); inner elements are neighbours, taken four at a time.
// A row is cut into `splits` chunks, an invocation each; with more than one, output is [outputs, splits] and another
// pass folds it. A chunk is folded turn by turn and block by block, so that rounding does not add up along all of it. The order of
// the fold is fixed by the sizes alone.
// Grid: (ceil(outputs * splits / WORKGROUP), 1, 1), folded into y beyond 65,535.

const WORKGROUP = 16u;
const BLOCK = 64u; // turns
const RUN = 1u; // vec4s at a turn: a divisor of those of `inner`, and of a chunk
const RAGGED = 1u; // 0: no vec4 reaches past the end of `inner`

alias Value = f32;

struct Params {
  outputs: u32,
  outer: u32,
  inner: u32, // elements
  splits: u32,
  chunk: u32, // vec4s of one chunk
}

@group(0) @binding(0) var<storage, read> input: array<Value>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

fn load4(o: u32, outer: u32, vec: u32) -> vec4<Value> { let i = (o * params.outer + outer) * params.inner + 4u * vec; return vec4<Value>(input[i], input[i + 1u], input[i + 2u], input[i + 3u]); } // @hook
fn identity() -> Value { return Value(0); } // @hook
fn combine4(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a + b; } // @hook
fn combine(a: Value, b: Value) -> Value { return a + b; } // @hook
fn epilogue(value: Value, index: u32) -> u32 { return bitcast<u32>(value); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let job = id.y * groups.x * WORKGROUP + id.x;
  if (job >= params.outputs * params.splits) { return; }
  let o = job / params.splits;
  let inner_vecs = (params.inner + 3u) / 4u;
  let start = (job % params.splits) * params.chunk;
  let end = min(start + params.chunk, params.outer * inner_vecs);
  let whole = params.inner / 4u; // vec4s without a ragged end
  let tail = params.inner % 4u;
  let lanes = vec4<bool>(true, tail > 1u, tail > 2u, false);

  var acc = vec4<Value>(identity());
  var outer = start / inner_vecs;
  var vec = start % inner_vecs;
  for (var block = start; block < end; block += BLOCK * RUN) {
    var part = vec4<Value>(identity());
    for (var t = block; t < min(block + BLOCK * RUN, end); t += RUN) {
      var turn = load4(o, outer, vec);
      if (RAGGED > 0u) { turn = select(vec4<Value>(identity()), turn, vec4<bool>(vec < whole) | lanes); }
      // @unroll
      for (var k = 1u; k < RUN; k++) {
        var value = load4(o, outer, vec + k);
        if (RAGGED > 0u) { value = select(vec4<Value>(identity()), value, vec4<bool>(vec + k < whole) | lanes); }
        turn = combine4(turn, value);
      }
      part = combine4(part, turn);
      vec += RUN;
      if (vec == inner_vecs) { vec = 0u; outer++; }
    }
    acc = combine4(acc, part);
  }
  output[job] = epilogue(combine(combine(acc.x, acc.y), combine(acc.z, acc.w)), job);
}
