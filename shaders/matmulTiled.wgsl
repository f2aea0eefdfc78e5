// output[batch, m, n] = epilogue(sum_k a[batch, m, k] * b[batch, k, n]), a and b read in place through strides.
// A workgroup of SIDE x SIDE invocations makes one TILE x TILE block from tiles of a and b in workgroup memory; an
// invocation holds 4 * BLOCK4 x 4 * BLOCK4 results. For hardware adapters. `splits` chunks of k make partial products,
// added up by sumPartials.
// Grid: one workgroup a block, linear over (split, batch, row block, column block), folded into x and y.

const SIDE = 16u;
const BLOCK4 = 1u;
const A_ALONG_K = 1u; // 1 where neighbours in memory are neighbours along k: so must be those that load them
const B_ALONG_K = 0u;
const BLOCK = 4u * BLOCK4;
const TILE = SIDE * BLOCK;
const LINE = SIDE * BLOCK4; // vec4s of a tile's line
const DEPTH = SIDE / BLOCK4; // of a tile along k: then each invocation loads one vec4 of a and one of b

struct Params {
  batch: u32, m: u32, n: u32, k: u32,
  a_offset: u32, a_batch: u32, a_row: u32, a_col: u32,
  b_offset: u32, b_batch: u32, b_row: u32, b_col: u32,
  row_blocks: u32, col_blocks: u32, splits: u32, split_k: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

var<workgroup> tile_a: array<array<vec4<f32>, LINE>, DEPTH>; // of each k: TILE rows
var<workgroup> tile_b: array<array<vec4<f32>, LINE>, DEPTH>; // of each k: TILE columns

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * workgroups.x + workgroup.x;
  let col = block % params.col_blocks * TILE;
  let row = block / params.col_blocks % params.row_blocks * TILE;
  let plane = block / (params.col_blocks * params.row_blocks); // split * batch + batch index
  if (plane >= params.batch * params.splits) {
    return;
  }
  let batch = plane % params.batch;
  let begin = plane / params.batch * params.split_k;
  let end = min(begin + params.split_k, params.k);

  // Which vec4 of the tiles this invocation loads: at depth k, 4 rows of a or columns of b.
  let a_k = select(lane / LINE, lane % DEPTH, A_ALONG_K == 1u);
  let a_line = select(lane % LINE, lane / DEPTH, A_ALONG_K == 1u);
  let b_k = select(lane / LINE, lane % DEPTH, B_ALONG_K == 1u);
  let b_line = select(lane % LINE, lane / DEPTH, B_ALONG_K == 1u);
  let a_base = params.a_offset + batch * params.a_batch;
  let b_base = params.b_offset + batch * params.b_batch;
  // Rows and columns past the edge repeat the last one, and are not stored.
  let a_rows = a_base + min(vec4(row + 4u * a_line) + vec4(0u, 1u, 2u, 3u), vec4(params.m - 1u)) * params.a_row;
  let b_cols = b_base + min(vec4(col + 4u * b_line) + vec4(0u, 1u, 2u, 3u), vec4(params.n - 1u)) * params.b_col;

  var sums: array<array<vec4<f32>, BLOCK4>, BLOCK>;
  for (var depth = begin; depth < end; depth += DEPTH) {
    let a_at = a_rows + (depth + a_k) * params.a_col;
    let b_at = b_cols + (depth + b_k) * params.b_row;
    let a_values = vec4(a[a_at.x], a[a_at.y], a[a_at.z], a[a_at.w]);
    let b_values = vec4(b[b_at.x], b[b_at.y], b[b_at.z], b[b_at.w]);
    workgroupBarrier();
    tile_a[a_k][a_line] = select(vec4(0.0), a_values, depth + a_k < end);
    tile_b[b_k][b_line] = select(vec4(0.0), b_values, depth + b_k < end);
    workgroupBarrier();
    for (var p = 0u; p < DEPTH; p++) {
      // @unroll
      for (var i = 0u; i < BLOCK4; i++) {
        let left = tile_a[p][local.y + i * SIDE];
        // @unroll
        for (var j = 0u; j < BLOCK4; j++) {
          let right = tile_b[p][local.x + j * SIDE];
          sums[4u * i][j] += left.x * right;
          sums[4u * i + 1u][j] += left.y * right;
          sums[4u * i + 2u][j] += left.z * right;
          sums[4u * i + 3u][j] += left.w * right;
        }
      }
    }
  }

  // @unroll
  for (var i = 0u; i < BLOCK; i++) {
    let out_row = row + 4u * (local.y + i / 4u * SIDE) + i % 4u;
    // @unroll
    for (var j = 0u; j < BLOCK4; j++) {
      let out_col = col + 4u * (local.x + j * SIDE);
      let index = (plane * params.m + out_row) * params.n + out_col;
      // @unroll
      for (var part = 0u; part < 4u; part++) {
        if (out_row < params.m && out_col + part < params.n) {
          output[index + part] = epilogue(sums[i][j][part], index + part);
        }
      }
    }
  }
}
