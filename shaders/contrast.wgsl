// Of the scores `scale * (query . key)` of each query with one chunk of keys: the largest, the sum of exp(score - largest), how many
// products are above the query's own, and whether one is NaN. No score is stored: contrastTotals puts the chunks together.
// One invocation takes ROWS queries and a chunk, COLS keys at a time: no workgroup memory, no barriers.
// Grid: one invocation a (chunk, block of queries), linear, folded into x and y.

const WORKGROUP = 4u;
const ROWS = 8u;
const COLS = 8u;
const LOWEST = -3.4028234e38;

struct Params { queries: u32, keys: u32, dim4: u32, blocks: u32, chunks: u32, chunk: u32, scale: f32 } // dim4: in vec4s

@group(0) @binding(0) var<storage, read> query: array<vec4<f32>>; // [queries, dim4]
@group(0) @binding(1) var<storage, read> key: array<vec4<f32>>; // [keys, dim4]
@group(0) @binding(2) var<storage, read> own: array<f32>; // [queries]
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<f32>>; // [chunks, queries]: largest, sum, above, NaN
@group(0) @binding(4) var<uniform> params: Params;

fn is_nan(x: f32) -> bool { return x != x; } // @lib
fn inf_of(x: f32) -> f32 { return x / 0.0f; } // @lib

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
  var owns: array<f32, ROWS>;
  var found: array<vec4<f32>, ROWS>;
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    let at = min(row + i, params.queries - 1u);
    rows[i] = at * params.dim4;
    owns[i] = own[at];
    found[i] = vec4(LOWEST, 0.0, 0.0, 0.0);
  }
  for (var first = begin; first < end; first += COLS) {
    var cols: array<u32, COLS>;
    var sums: array<array<f32, COLS>, ROWS>;
    var keys: array<vec4<f32>, COLS>;
    // @unroll
    for (var j = 0u; j < COLS; j++) {
      cols[j] = min(first + j, end - 1u) * params.dim4;
      // @unroll
      for (var i = 0u; i < ROWS; i++) {
        sums[i][j] = 0.0;
      }
    }
    for (var d = 0u; d < params.dim4; d++) {
      // @unroll
      for (var j = 0u; j < COLS; j++) {
        keys[j] = key[cols[j] + d];
      }
      // @unroll
      for (var i = 0u; i < ROWS; i++) {
        let q = query[rows[i] + d];
        // @unroll
        for (var j = 0u; j < COLS; j++) {
          sums[i][j] += dot(q, keys[j]);
        }
      }
    }
    // @unroll
    for (var i = 0u; i < ROWS; i++) {
      var scores: array<f32, COLS>;
      var largest = found[i].x;
      var above = 0.0;
      var wrong = found[i].w;
      // @unroll
      for (var j = 0u; j < COLS; j++) {
        let is_there = first + j < end;
        scores[j] = select(-inf_of(1.0), params.scale * sums[i][j], is_there);
        above += select(0.0, 1.0, is_there & (sums[i][j] > owns[i]));
        wrong = select(wrong, 1.0, is_nan(scores[j]));
        largest = max(largest, scores[j]);
      }
      var sum = found[i].y * select(exp(found[i].x - largest), 1.0, found[i].x == largest);
      // @unroll
      for (var j = 0u; j < COLS; j++) {
        sum += select(exp(scores[j] - largest), 1.0, scores[j] == largest);
      }
      found[i] = vec4(largest, sum, found[i].z + above, wrong);
    }
  }
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    if (row + i < params.queries) {
      partials[part * params.queries + row + i] = found[i];
    }
  }
}
