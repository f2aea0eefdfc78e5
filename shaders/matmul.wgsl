// output[batch, m, n] = epilogue(sum_k a[batch, m, k] * b[batch, k, n]), a and b read in place as vec4s: each is contiguous along
// one of its dimensions, and offset, other strides, k and the contiguous dimensions are multiples of 4.
// One invocation makes a ROWS x COLS block in registers: no workgroup memory, no barriers; for software adapters.
// `splits` chunks of k make partial products, added up by sumPartials.
// Grid: one invocation a block, linear over (split, batch, row block, column block), folded into x and y.

const WORKGROUP = 4u;
const ROWS4 = 4u;
const COLS4 = 4u;
const A_ALONG_K = 1u; // 1 where a is contiguous along k, 0 along m
const B_ALONG_K = 0u; // 1 where b is contiguous along k, 0 along n
const ROWS = ROWS4 * 4u;
const COLS = COLS4 * 4u;

struct Params { // strides and offsets in vec4s; of the contiguous dimension, 1 a vec4
  batch: u32, m: u32, n: u32, k: u32,
  a_offset: u32, a_batch: u32, a_stride: u32,
  b_offset: u32, b_batch: u32, b_stride: u32,
  row_blocks: u32, col_blocks: u32, splits: u32, split_k: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let col = block % params.col_blocks * COLS;
  let row = block / params.col_blocks % params.row_blocks * ROWS;
  let plane = block / (params.col_blocks * params.row_blocks); // split * batch + batch index
  if (plane >= params.batch * params.splits) {
    return;
  }
  let batch = plane % params.batch;
  let begin = plane / params.batch * params.split_k;
  let end = min(begin + params.split_k, params.k);
  let a_base = params.a_offset + batch * params.a_batch;
  let b_base = params.b_offset + batch * params.b_batch;

  // Rows and columns past the edge repeat the last ones, and are not stored.
  var a_rows: array<u32, ROWS>; // along k: where each row starts; else where each four rows start
  var b_cols: array<u32, COLS>;
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    a_rows[i] = a_base + select(min(row / 4u + i, params.m / 4u - 1u), min(row + i, params.m - 1u) * params.a_stride, A_ALONG_K == 1u);
  }
  // @unroll
  for (var j = 0u; j < COLS; j++) {
    b_cols[j] = b_base + select(min(col / 4u + j, params.n / 4u - 1u), min(col + j, params.n - 1u) * params.b_stride, B_ALONG_K == 1u);
  }

  var sums: array<array<f32, COLS>, ROWS>;
  var a_block: array<vec4<f32>, 4>; // of each of four rows, four steps of k
  var b_block: array<vec4<f32>, COLS>; // of each column, four steps of k
  for (var k = begin; k < end; k += 4u) {
    if (B_ALONG_K == 1u) {
      // @unroll
      for (var j = 0u; j < COLS; j++) {
        b_block[j] = b[b_cols[j] + k / 4u];
      }
    } else {
      // @unroll
      for (var j = 0u; j < COLS4; j++) {
        let at = b_cols[j] + k * params.b_stride;
        let k0 = b[at];
        let k1 = b[at + params.b_stride];
        let k2 = b[at + 2u * params.b_stride];
        let k3 = b[at + 3u * params.b_stride];
        b_block[4u * j] = vec4(k0.x, k1.x, k2.x, k3.x);
        b_block[4u * j + 1u] = vec4(k0.y, k1.y, k2.y, k3.y);
        b_block[4u * j + 2u] = vec4(k0.z, k1.z, k2.z, k3.z);
        b_block[4u * j + 3u] = vec4(k0.w, k1.w, k2.w, k3.w);
      }
    }
    // @unroll
    for (var i = 0u; i < ROWS4; i++) {
      if (A_ALONG_K == 1u) {
        // @unroll
        for (var r = 0u; r < 4u; r++) {
          a_block[r] = a[a_rows[4u * i + r] + k / 4u];
        }
      } else {
        let at = a_rows[i] + k * params.a_stride;
        let k0 = a[at];
        let k1 = a[at + params.a_stride];
        let k2 = a[at + 2u * params.a_stride];
        let k3 = a[at + 3u * params.a_stride];
        a_block[0] = vec4(k0.x, k1.x, k2.x, k3.x);
        a_block[1] = vec4(k0.y, k1.y, k2.y, k3.y);
        a_block[2] = vec4(k0.z, k1.z, k2.z, k3.z);
        a_block[3] = vec4(k0.w, k1.w, k2.w, k3.w);
      }
      // @unroll
      for (var r = 0u; r < 4u; r++) {
        // @unroll
        for (var j = 0u; j < COLS; j++) {
          sums[4u * i + r][j] += dot(a_block[r], b_block[j]);
        }
      }
    }
  }

  var results: array<array<f32, COLS>, ROWS>; // a copy, since the loops below index it by a variable
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    // @unroll
    for (var j = 0u; j < COLS; j++) {
      results[i][j] = sums[i][j];
    }
  }
  let rows = min(ROWS, params.m - row);
  let cols = min(COLS, params.n - col);
  var i = 0u;
  loop {
    let line = (plane * params.m + row + i) * params.n + col;
    var j = 0u;
    loop {
      output[line + j] = epilogue(results[i][j], line + j);
      continuing {
        j++;
        break if j >= cols;
      }
    }
    continuing {
      i++;
      break if i >= rows;
    }
  }
}
