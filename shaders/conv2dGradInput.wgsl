// grad_input[n, c, y, x] = sum_{o, i, j} grad_out[n, o, p, q] * weight[o, c, i, j] over all (p, i) with
// p * stride + i * dilation = y + pad, and (q, j) likewise. NCHW and OIHW.
// One invocation makes BLOCK_C channels x BLOCK_Y x BLOCK_X pixels in registers. Blocks start at multiples of the stride, counted
// from the edge of the padding, so which taps reach which pixel is known when the loops are written out.
// Grid: one invocation a block, linear over (batch, block row, block column, group, channel block), folded into x and y.

const WORKGROUP = 4u;
const KERNEL_HEIGHT = 3u;
const KERNEL_WIDTH = 3u;
const STRIDE_HEIGHT = 1u;
const STRIDE_WIDTH = 1u;
const DILATION_HEIGHT = 1u;
const DILATION_WIDTH = 1u;
const BLOCK_C = 4u;
const BLOCK_Y = 4u; // a multiple of the stride
const BLOCK_X = 4u;
const DEPTH = 1u; // output channels a turn: a divisor of out_channels
const REACH_Y = 2u; // rows of grad_out before a block's own that reach it: ceil((KERNEL_HEIGHT - 1) * dilation / stride)
const REACH_X = 2u;
const LEAD_Y = REACH_Y * STRIDE_HEIGHT;
const LEAD_X = REACH_X * STRIDE_WIDTH;
const PATCH_Y = REACH_Y + (BLOCK_Y - 1u) / STRIDE_HEIGHT + 1u;
const PATCH_X = REACH_X + (BLOCK_X - 1u) / STRIDE_WIDTH + 1u;

struct Params {
  batch: u32, groups: u32, in_channels: u32, out_channels: u32, // channels of one group
  height: u32, width: u32, out_height: u32, out_width: u32, pad_height: u32, pad_width: u32,
  blocks_c: u32, blocks_y: u32, blocks_x: u32,
}

@group(0) @binding(0) var<storage, read> grad_out: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  var block = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let channel = block % params.blocks_c * BLOCK_C;
  block /= params.blocks_c;
  let group = block % params.groups;
  block /= params.groups;
  let block_x = block % params.blocks_x;
  block /= params.blocks_x;
  let block_y = block % params.blocks_y;
  let n = block / params.blocks_y;
  if (n >= params.batch) {
    return;
  }
  // First row of grad_out of the patch; all of these wrap around above and left of the image.
  let out_top = block_y * (BLOCK_Y / STRIDE_HEIGHT) + params.pad_height / STRIDE_HEIGHT - REACH_Y;
  let out_left = block_x * (BLOCK_X / STRIDE_WIDTH) + params.pad_width / STRIDE_WIDTH - REACH_X;
  let top = block_y * BLOCK_Y - params.pad_height % STRIDE_HEIGHT;
  let left = block_x * BLOCK_X - params.pad_width % STRIDE_WIDTH;
  let grad_base = (n * params.groups + group) * params.out_channels;

  var sums: array<array<array<f32, BLOCK_X>, BLOCK_Y>, BLOCK_C>;
  var out_x: array<u32, PATCH_X>;
  var inside_x: array<bool, PATCH_X>;
  var patch_rows: array<array<array<f32, PATCH_X>, PATCH_Y>, DEPTH>;
  var taps: array<array<array<f32, KERNEL_WIDTH>, KERNEL_HEIGHT>, DEPTH>;
  // @unroll
  for (var px = 0u; px < PATCH_X; px++) {
    out_x[px] = out_left + px;
    inside_x[px] = out_x[px] < params.out_width;
  }
  for (var o = 0u; o < params.out_channels; o += DEPTH) {
    // @unroll
    for (var d = 0u; d < DEPTH; d++) {
      let plane = (grad_base + o + d) * params.out_height;
      // @unroll
      for (var py = 0u; py < PATCH_Y; py++) {
        let out_y = out_top + py;
        let inside_y = out_y < params.out_height;
        let line = (plane + out_y) * params.out_width;
        // @unroll
        for (var px = 0u; px < PATCH_X; px++) {
          patch_rows[d][py][px] = select(0.0, grad_out[line + out_x[px]], inside_y & inside_x[px]);
        }
      }
    }
    // @unroll
    for (var c = 0u; c < BLOCK_C; c++) {
      // @unroll
      for (var d = 0u; d < DEPTH; d++) {
        let kernel = ((group * params.out_channels + o + d) * params.in_channels + min(channel + c, params.in_channels - 1u)) * (KERNEL_HEIGHT * KERNEL_WIDTH);
        // @unroll
        for (var ty = 0u; ty < KERNEL_HEIGHT; ty++) {
          // @unroll
          for (var tx = 0u; tx < KERNEL_WIDTH; tx++) {
            taps[d][ty][tx] = weight[kernel + ty * KERNEL_WIDTH + tx];
          }
        }
      }
      // @unroll
      for (var iy = 0u; iy < BLOCK_Y; iy++) {
        // @unroll
        for (var ix = 0u; ix < BLOCK_X; ix++) {
          var sum = sums[c][iy][ix];
          // @unroll
          for (var ty = 0u; ty < KERNEL_HEIGHT; ty++) {
            // @unroll
            for (var tx = 0u; tx < KERNEL_WIDTH; tx++) {
              // Conditions and indices are constants once the loops are written out.
              if ((iy + LEAD_Y - ty * DILATION_HEIGHT) % STRIDE_HEIGHT == 0u && (ix + LEAD_X - tx * DILATION_WIDTH) % STRIDE_WIDTH == 0u) {
                // @unroll
                for (var d = 0u; d < DEPTH; d++) {
                  sum += taps[d][ty][tx] *
                    patch_rows[d][(iy + LEAD_Y - ty * DILATION_HEIGHT) / STRIDE_HEIGHT][(ix + LEAD_X - tx * DILATION_WIDTH) / STRIDE_WIDTH];
                }
              }
            }
          }
          sums[c][iy][ix] = sum;
        }
      }
    }
  }

  var results: array<array<array<f32, BLOCK_X>, BLOCK_Y>, BLOCK_C>; // a copy, since the loops below index it by a variable
  // @unroll
  for (var c = 0u; c < BLOCK_C; c++) {
    // @unroll
    for (var iy = 0u; iy < BLOCK_Y; iy++) {
      // @unroll
      for (var ix = 0u; ix < BLOCK_X; ix++) {
        results[c][iy][ix] = sums[c][iy][ix];
      }
    }
  }
  for (var c = 0u; c < min(BLOCK_C, params.in_channels - channel); c++) {
    let plane = (n * params.groups + group) * params.in_channels + channel + c;
    for (var iy = 0u; iy < BLOCK_Y; iy++) {
      let line = (plane * params.height + top + iy) * params.width + left;
      for (var ix = 0u; ix < BLOCK_X; ix++) {
        if (top + iy < params.height && left + ix < params.width) {
          output[line + ix] = epilogue(results[c][iy][ix], line + ix);
        }
      }
    }
  }
}
