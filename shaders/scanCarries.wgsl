// carries[o, c, i] = fold of totals[o, b, i] over b < c: what each chunk of a line goes on from.
// Grid: one invocation a line, linear over (outer, inner), folded into x and y.

const WORKGROUP = 64u;

alias Input = f32;
alias Value = f32; // what is folded

struct Params { outer: u32, inner: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> input: array<Input>; // of the scan: some folds compare by place
@group(0) @binding(1) var<storage, read> totals: array<Value>; // [outer, chunks, inner]
@group(0) @binding(2) var<storage, read_write> carries: array<Value>; // [outer, chunks, inner]
@group(0) @binding(3) var<uniform> params: Params;

fn identity() -> Value { return Value(0); } // @hook
fn combine(a: Value, b: Value) -> Value { return a + b; } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let line = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (line >= params.outer * params.inner) {
    return;
  }
  let first = line / params.inner * params.chunks * params.inner + line % params.inner;
  var total = identity();
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    let place = first + chunk * params.inner;
    carries[place] = total;
    total = combine(total, totals[place]);
  }
}
