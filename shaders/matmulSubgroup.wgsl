enable subgroups;

// output[batch, m, n] = epilogue(sum_k a[batch, m, k] * b[batch, k, n]), a and b read in place as vec4s, as in matmul.wgsl.
// A subgroup of four makes a ROWS x COLS block in registers, each invocation ROWS x COLS / 4 of it: each loads a part of a and has the
// rest from the others. No workgroup memory, no barriers. Control flow is the same in all of a subgroup up to the stores.
// `splits` chunks of k make partial products, added up by sumPartials.
// Grid: one workgroup a block, linear over (split, batch, row block, column block), folded into x and y.

const WORKGROUP = 4u; // a subgroup
const ROWS4 = 2u;
const COLS16 = 2u;
const A_ALONG_K = 1u; // 1 where a is contiguous along k, 0 along m
const B_ALONG_K = 0u; // 1 where b is contiguous along k, 0 along n
const ROWS = ROWS4 * 4u;
const COLS = COLS16 * 16u;

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

// What each of four invocations has.
fn all_lanes(value: f32) -> vec4<f32> {
  return vec4(subgroupBroadcast(value, 0u), subgroupBroadcast(value, 1u), subgroupBroadcast(value, 2u), subgroupBroadcast(value, 3u));
}

// What one of them has; which one is a constant once the loops are written out.
fn of_lane(value: vec4<f32>, lane: u32) -> vec4<f32> {
  if (lane == 0u) { return subgroupBroadcast(value, 0u); }
  if (lane == 1u) { return subgroupBroadcast(value, 1u); }
  if (lane == 2u) { return subgroupBroadcast(value, 2u); }
  return subgroupBroadcast(value, 3u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * workgroups.x + workgroup.x;
  let col = block % params.col_blocks * COLS + 4u * lane; // of sixteen neighbours, four
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

  // Rows and columns past the edge repeat the last ones, and are not stored. Of four rows, each invocation loads one for four steps of k,
  // or all for one of four steps.
  var a_rows: array<u32, ROWS4>;
  var b_cols: array<array<u32, 4>, COLS16>; // along k: where each column starts; else where four start
  // @unroll
  for (var i = 0u; i < ROWS4; i++) {
    if (A_ALONG_K == 1u) {
      a_rows[i] = a_base + min(row + 4u * i + lane, params.m - 1u) * params.a_stride;
    } else {
      a_rows[i] = a_base + min(row / 4u + i, params.m / 4u - 1u) + lane * params.a_stride;
    }
  }
  // @unroll
  for (var c = 0u; c < COLS16; c++) {
    // @unroll
    for (var j = 0u; j < 4u; j++) {
      if (B_ALONG_K == 1u) {
        b_cols[c][j] = b_base + min(col + 16u * c + j, params.n - 1u) * params.b_stride;
      } else {
        b_cols[c][j] = b_base + min(col / 4u + 4u * c, params.n / 4u - 1u) + j * params.b_stride; // step j of k
      }
    }
  }

  var sums: array<array<array<f32, 4>, COLS16>, ROWS>;
  var b_block: array<array<vec4<f32>, 4>, COLS16>; // of each column, four steps of k
  for (var k = begin; k < end; k += 4u) {
    // @unroll
    for (var c = 0u; c < COLS16; c++) {
      let along = select(k * params.b_stride, k / 4u, B_ALONG_K == 1u);
      let b0 = b[b_cols[c][0] + along];
      let b1 = b[b_cols[c][1] + along];
      let b2 = b[b_cols[c][2] + along];
      let b3 = b[b_cols[c][3] + along];
      if (B_ALONG_K == 1u) {
        b_block[c][0] = b0;
        b_block[c][1] = b1;
        b_block[c][2] = b2;
        b_block[c][3] = b3;
      } else {
        b_block[c][0] = vec4(b0.x, b1.x, b2.x, b3.x);
        b_block[c][1] = vec4(b0.y, b1.y, b2.y, b3.y);
        b_block[c][2] = vec4(b0.z, b1.z, b2.z, b3.z);
        b_block[c][3] = vec4(b0.w, b1.w, b2.w, b3.w);
      }
    }
    // @unroll
    for (var i = 0u; i < ROWS4; i++) {
      let loaded = a[a_rows[i] + select(k * params.a_stride, k / 4u, A_ALONG_K == 1u)];
      // @unroll
      for (var r = 0u; r < 4u; r++) {
        var a_row: vec4<f32>;
        if (A_ALONG_K == 1u) {
          a_row = of_lane(loaded, r);
        } else {
          a_row = all_lanes(loaded[r]);
        }
        // @unroll
        for (var c = 0u; c < COLS16; c++) {
          // @unroll
          for (var j = 0u; j < 4u; j++) {
            sums[4u * i + r][c][j] += dot(a_row, b_block[c][j]);
          }
        }
      }
    }
  }

  var results: array<array<array<f32, 4>, COLS16>, ROWS>; // a copy, since the loops below index it by a variable
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    // @unroll
    for (var c = 0u; c < COLS16; c++) {
      results[i][c] = sums[i][c];
    }
  }
  let rows = min(ROWS, params.m - row);
  var i = 0u;
  loop {
    // @unroll
    for (var c = 0u; c < COLS16; c++) {
      if (col + 16u * c < params.n) {
        let line = (plane * params.m + row + i) * params.n + col + 16u * c;
        var j = 0u;
        loop {
          output[line + j] = epilogue(results[i][c][j], line + j);
          continuing {
            j++;
            break if j >= min(4u, params.n - (col + 16u * c));
          }
        }
      }
    }
    continuing {
      i++;
      break if i >= rows;
    }
  }
}
