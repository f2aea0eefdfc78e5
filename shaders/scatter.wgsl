// output = input; output[o, index[o, j, i], i] = fold(that, src[o, j, i]) in the order of j; then epilogue.
// input and output [outer, dim, inner], index and src [outer, index_dim, inner]. An index out of range changes nothing.
// An invocation owns CHUNK entries of dim in one column (o, i) and looks at every j: no atomics, fixed bits.
// Grid: one invocation a chunk, linear over (o, chunk, i), folded into x and y.

alias Value = f32;

const WORKGROUP = 64u;
const FOLD = 0u; // 0 sum, 1 product, 2 maximum, 3 minimum
const IS_FLOAT = 1u;

struct Params { outer: u32, dim: u32, index_dim: u32, inner: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> input: array<Value>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read> src: array<Value>;
@group(0) @binding(3) var<storage, read_write> output: array<Value>;
@group(0) @binding(4) var<uniform> params: Params;

fn epilogue(value: Value, index: u32) -> Value { return value; } // @hook

fn is_nan_value(x: Value) -> bool { return IS_FLOAT == 1u && (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

fn extreme(total: Value, value: Value) -> Value {
  if (is_nan_value(total)) {
    return total;
  }
  if (is_nan_value(value)) {
    return value;
  }
  return select(min(total, value), max(total, value), FOLD == 2u);
}

fn fold(total: Value, value: Value) -> Value {
  switch FOLD {
    case 0u: { return total + value; }
    case 1u: { return total * value; }
    default: { return extreme(total, value); }
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let owner = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let column = owner % params.inner;
  let begin = owner / params.inner % params.chunks * params.chunk;
  let outer = owner / (params.inner * params.chunks);
  if (outer >= params.outer) {
    return;
  }
  let length = min(params.chunk, params.dim - begin);
  let base = (outer * params.dim + begin) * params.inner + column;
  var source = outer * params.index_dim * params.inner + column;
  if (params.index_dim == 1u) {
    let d = u32(index[source]) - begin; // wraps around below the chunk
    let operand = src[source];
    for (var i = 0u; i < length; i++) {
      let at = base + i * params.inner;
      let value = input[at];
      output[at] = epilogue(select(value, fold(value, operand), i == d), at);
    }
    return;
  }
  for (var d = 0u; d < length; d++) {
    output[base + d * params.inner] = input[base + d * params.inner];
  }
  for (var j = 0u; j < params.index_dim; j++) {
    let d = u32(index[source]) - begin; // wraps around below the chunk
    if (d < length) {
      let at = base + d * params.inner;
      output[at] = fold(output[at], src[source]);
    }
    source += params.inner;
  }
  for (var d = 0u; d < length; d++) {
    let at = base + d * params.inner;
    output[at] = epilogue(output[at], at);
  }
}
