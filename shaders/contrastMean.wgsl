// output[part, query, :] = sum over one chunk of keys of exp(scale * (query . key) - total) * key: a softmax's mean of the keys where
// `total` is the log of its sum. No weight is stored. With one chunk the output is the result, else sumPartials adds the chunks up.
// One invocation takes ROWS queries and a chunk, COLS keys at a time, and holds its ROWS * DIM4 sums: no workgroup memory, no barriers.
// Grid: one invocation a (chunk, block of queries), linear, folded into x and y.

const WORKGROUP = 4u;
const ROWS = 8u;
const COLS = 8u;
const DIM4 = 32u; // dim / 4

struct Params { queries: u32, keys: u32, blocks: u32, chunks: u32, chunk: u32, total_offset: u32, total_stride: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> query: array<vec4<f32>>; // [queries, DIM4]
@group(0) @binding(1) var<storage, read> key: array<vec4<f32>>; // [keys, DIM4]
@group(0) @binding(2) var<storage, read> total: array<f32>; // of query i at total_offset + total_stride * i
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [chunks, queries, 4 * DIM4]
@group(0) @binding(4) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook
fn ieee_exp(x: f32) -> f32 { return exp(x); } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let job = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let row = job % params.blocks * ROWS;
  let part = job / params.blocks;
  if (part >= params.chunks) {
    return;
  }
  let begin = part * params.chunk;
  let end = min(begin + params.chunk, params.keys);

  // Queries and keys past the end repeat the last ones, and do not count.
  var rows: array<u32, ROWS>;
  var totals: array<f32, ROWS>;
  var sums: array<array<vec4<f32>, ROWS>, DIM4>;
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    let at = min(row + i, params.queries - 1u);
    rows[i] = at * DIM4;
    totals[i] = total[params.total_offset + params.total_stride * at];
  }
  for (var first = begin; first < end; first += COLS) {
    var cols: array<u32, COLS>;
    var weights: array<array<f32, COLS>, ROWS>;
    var keys: array<vec4<f32>, COLS>;
    // @unroll
    for (var j = 0u; j < COLS; j++) {
      cols[j] = min(first + j, end - 1u) * DIM4;
      // @unroll
      for (var i = 0u; i < ROWS; i++) {
        weights[i][j] = 0.0;
      }
    }
    for (var d = 0u; d < DIM4; d++) {
      // @unroll
      for (var j = 0u; j < COLS; j++) {
        keys[j] = key[cols[j] + d];
      }
      // @unroll
      for (var i = 0u; i < ROWS; i++) {
        let q = query[rows[i] + d];
        // @unroll
        for (var j = 0u; j < COLS; j++) {
          weights[i][j] += dot(q, keys[j]);
        }
      }
    }
    // @unroll
    for (var j = 0u; j < COLS; j++) {
      let is_there = first + j < end;
      // @unroll
      for (var i = 0u; i < ROWS; i++) {
        weights[i][j] = select(0.0, ieee_exp(params.scale * weights[i][j] - totals[i]), is_there);
      }
    }
    for (var d = 0u; d < DIM4; d++) {
      // @unroll
      for (var j = 0u; j < COLS; j++) {
        keys[j] = key[cols[j] + d];
      }
      // @unroll
      for (var i = 0u; i < ROWS; i++) {
        var sum = sums[d][i];
        // @unroll
        for (var j = 0u; j < COLS; j++) {
          sum += weights[i][j] * keys[j];
        }
        sums[d][i] = sum;
      }
    }
  }
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    if (row + i < params.queries) {
      for (var d = 0u; d < DIM4; d++) {
        let index = 4u * ((part * params.queries + row + i) * DIM4 + d);
        let sum = sums[d][i];
        output[index] = epilogue(sum.x, index);
        output[index + 1u] = epilogue(sum.y, index + 1u);
        output[index + 2u] = epilogue(sum.z, index + 2u);
        output[index + 3u] = epilogue(sum.w, index + 3u);
      }
    }
  }
}
