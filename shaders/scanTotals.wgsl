// totals[o, c, i] = fold of load(o, s, i) over chunk c of a line: the first of three passes that scan long lines.
// Grid: one invocation a chunk, linear over (outer, chunk, inner), folded into x and y.

const WORKGROUP = 64u;

alias Input = f32;
alias Value = f32; // what is folded

struct Params { outer: u32, n: u32, inner: u32, chunk: u32, chunks: u32, reversed: u32 } // reversed: 0 or 1

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> factor: array<Input>; // a second input
@group(0) @binding(2) var<storage, read_write> totals: array<Value>; // [outer, chunks, inner]
@group(0) @binding(3) var<uniform> params: Params;

fn identity() -> Value { return Value(0); } // @hook
fn load(place: u32) -> Value { return factor[place] * input[place]; } // @hook
fn combine(a: Value, b: Value) -> Value { return a + b; } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let job = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (job >= params.outer * params.chunks * params.inner) {
    return;
  }
  let line = job / params.inner / params.chunks * params.n * params.inner + job % params.inner;
  let start = job / params.inner % params.chunks * params.chunk;
  var total = identity();
  for (var t = start; t < min(start + params.chunk, params.n); t++) {
    let place = line + select(t, params.n - 1u - t, params.reversed == 1u) * params.inner;
    total = combine(total, load(place));
  }
  totals[job] = total;
}
