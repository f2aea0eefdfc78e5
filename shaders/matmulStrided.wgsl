// output[batch, m, n] = epilogue(sum_k a[batch, m, k] * b[batch, k, n]), a and b read in place through any strides.
// As matmul.wgsl, for operands that it cannot read as vec4s, and for vectors: one invocation makes a ROWS x COLS block in registers.
// `splits` chunks of k make partial products, added up by sumPartials.
// Grid: one invocation a block, linear over (split, batch, row block, column block), folded into x and y.

const WORKGROUP = 4u;
const ROWS = 8u;
const COLS4 = 4u; // COLS / 4
const COLS = COLS4 * 4u;
const STEP = 4u; // of k in one turn of the loop

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

  var a_base: array<u32, ROWS>; // rows and columns past the edge repeat the last one, and are not stored
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    a_base[i] = params.a_offset + batch * params.a_batch + min(row + i, params.m - 1u) * params.a_row;
  }
  var b_base: array<u32, COLS>;
  // @unroll
  for (var j = 0u; j < COLS; j++) {
    b_base[j] = params.b_offset + batch * params.b_batch + min(col + j, params.n - 1u) * params.b_col;
  }

  var sums: array<array<vec4<f32>, COLS4>, ROWS>;
  var a_row: array<f32, STEP>;
  var b_block: array<array<vec4<f32>, COLS4>, STEP>;
  var k = begin;
  for (; k + STEP <= end; k += STEP) {
    // @unroll
    for (var p = 0u; p < STEP; p++) {
      let b_k = (k + p) * params.b_row;
      // @unroll
      for (var j = 0u; j < COLS4; j++) {
        b_block[p][j] = vec4(
          b[b_base[4u * j] + b_k], b[b_base[4u * j + 1u] + b_k], b[b_base[4u * j + 2u] + b_k], b[b_base[4u * j + 3u] + b_k],
        );
      }
    }
    // @unroll
    for (var i = 0u; i < ROWS; i++) {
      // @unroll
      for (var p = 0u; p < STEP; p++) {
        a_row[p] = a[a_base[i] + (k + p) * params.a_col];
      }
      // @unroll
      for (var j = 0u; j < COLS4; j++) {
        var sum = sums[i][j];
        // @unroll
        for (var p = 0u; p < STEP; p++) {
          sum += a_row[p] * b_block[p][j];
        }
        sums[i][j] = sum;
      }
    }
  }
  for (; k < end; k++) {
    let b_k = k * params.b_row;
    // @unroll
    for (var j = 0u; j < COLS4; j++) {
      b_block[0][j] = vec4(
        b[b_base[4u * j] + b_k], b[b_base[4u * j + 1u] + b_k], b[b_base[4u * j + 2u] + b_k], b[b_base[4u * j + 3u] + b_k],
      );
    }
    // @unroll
    for (var i = 0u; i < ROWS; i++) {
      let a_value = a[a_base[i] + k * params.a_col];
      // @unroll
      for (var j = 0u; j < COLS4; j++) {
        sums[i][j] += a_value * b_block[0][j];
      }
    }
  }

  var results: array<array<vec4<f32>, COLS4>, ROWS>; // a copy, since the loops below index it by a variable
  // @unroll
  for (var i = 0u; i < ROWS; i++) {
    // @unroll
    for (var j = 0u; j < COLS4; j++) {
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
      output[line + j] = epilogue(results[i][j / 4u][j % 4u], line + j);
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
