// output = input; output[o, index[o, j, i], i] += src[o, j, i] in the order of j; then epilogue.
// input and output [outer, dim, inner], index and src [outer, index_dim, inner]. An index out of range adds nothing.
// An invocation owns CHUNK entries of dim in one column (o, i) and looks at every j: no atomics, fixed bits.
// Grid: one invocation a chunk, linear over (o, chunk, i), folded into x and y.

const WORKGROUP = 64u;

struct Params { outer: u32, dim: u32, index_dim: u32, inner: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read> src: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

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
    let addend = src[source];
    for (var i = 0u; i < length; i++) {
      let at = base + i * params.inner;
      let value = input[at];
      output[at] = epilogue(select(value, value + addend, i == d), at);
    }
    return;
  }
  for (var d = 0u; d < length; d++) {
    output[base + d * params.inner] = input[base + d * params.inner];
  }
  for (var j = 0u; j < params.index_dim; j++) {
    let d = u32(index[source]) - begin; // wraps around below the chunk
    if (d < length) {
      output[base + d * params.inner] += src[source];
    }
    source += params.inner;
  }
  for (var d = 0u; d < length; d++) {
    let at = base + d * params.inner;
    output[at] = epilogue(output[at], at);
  }
}
