// grad_input[n, c, y, x] = sum_{o, i, j} grad_out[n, o, p, q] * weight[o, c, i, j] over all (p, i) with
// p * stride + i * dilation = y + pad, and (q, j) likewise. NCHW and OIHW.
// One invocation makes BLOCK_C channels x BLOCK_Y x BLOCK_X pixels in registers. Blocks start at multiples of the stride, counted
// from the edge of the padding, so which taps reach which pixel is known when the loops are written out.
// A wrapper may have the invocations of a subgroup share the loads of weights, through the hooks.
// What lies outside of grad_out is 0, times a weight that is infinite NaN: a NaN near an edge is summed once more.
// Grid: one invocation a block, linear over (batch, block row, block column, group, channel block), folded into x and y.

const WORKGROUP = 4u;
const LANES = 4u; // channels that a value holds
const KERNEL_HEIGHT = 3u;
const KERNEL_WIDTH = 3u;
const STRIDE_HEIGHT = 1u;
const STRIDE_WIDTH = 1u;
const DILATION_HEIGHT = 1u;
const DILATION_WIDTH = 1u;
const BLOCK_L = 1u; // BLOCK_C / LANES
const BLOCK_Y = 4u; // a multiple of the stride
const BLOCK_X = 4u;
const DEPTH = 1u; // output channels a turn: a divisor of out_channels
const REACH_Y = 2u; // rows of grad_out before a block's own that reach it: ceil((KERNEL_HEIGHT - 1) * dilation / stride)
const REACH_X = 2u;
const BLOCK_C = LANES * BLOCK_L;
const CELLS_Y = BLOCK_Y / STRIDE_HEIGHT; // a block is CELLS_Y x CELLS_X cells of stride x stride pixels
const CELLS_X = BLOCK_X / STRIDE_WIDTH;
const EXTENT_Y = (KERNEL_HEIGHT - 1u) * DILATION_HEIGHT + 1u; // of the kernel with its gaps
const EXTENT_X = (KERNEL_WIDTH - 1u) * DILATION_WIDTH + 1u;
const STEPS_Y = (EXTENT_Y + STRIDE_HEIGHT - 1u) / STRIDE_HEIGHT; // rows of grad_out that may reach a pixel
const STEPS_X = (EXTENT_X + STRIDE_WIDTH - 1u) / STRIDE_WIDTH;
const SPAN_Y = STEPS_Y * STRIDE_HEIGHT;
const SPAN_X = STEPS_X * STRIDE_WIDTH;
const PATCH_Y = REACH_Y + CELLS_Y;
const PATCH_X = REACH_X + CELLS_X;

alias Lanes = vec4<f32>;
alias Places = vec4<u32>;

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

// Which block an invocation takes: the place of its channels, in `channels_place`, and of its pixels.
fn channels_place(workgroup: u32, lane: u32) -> u32 { return workgroup * WORKGROUP + lane; } // @hook
fn pixels_place(rest: u32, lane: u32) -> u32 { return rest; } // @hook

// What a block has LANES channels at once in: neighbours of one group. For fewer channels a wrapper makes them scalars.
fn channels_from(first: u32, last: u32, lane: u32) -> Places { return min(first + vec4(0u, 1u, 2u, 3u), vec4(last)); } // @hook
fn weight_at(at: Places) -> Lanes { return vec4(weight[at.x], weight[at.y], weight[at.z], weight[at.w]); } // @hook
fn lane_of(values: Lanes, lane: u32) -> f32 { return values[lane]; } // @hook

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; } // @lib

// The sum over what lies inside of grad_out only.
fn sum_inside(grad_base: u32, group: u32, channel: u32, y: u32, x: u32) -> f32 {
  var sum = 0.0;
  for (var ty = 0u; ty < KERNEL_HEIGHT; ty++) {
    let place_y = y + params.pad_height - ty * DILATION_HEIGHT; // wraps around above and left of the image
    for (var tx = 0u; tx < KERNEL_WIDTH; tx++) {
      let place_x = x + params.pad_width - tx * DILATION_WIDTH;
      let meets = (place_y % STRIDE_HEIGHT == 0u) & (place_x % STRIDE_WIDTH == 0u);
      let out_y = place_y / STRIDE_HEIGHT;
      let out_x = place_x / STRIDE_WIDTH;
      if (meets & (out_y < params.out_height) & (out_x < params.out_width)) {
        for (var o = 0u; o < params.out_channels; o++) {
          let kernel = (group * params.out_channels + o) * params.in_channels + channel;
          sum += grad_out[((grad_base + o) * params.out_height + out_y) * params.out_width + out_x] *
            weight[(kernel * KERNEL_HEIGHT + ty) * KERNEL_WIDTH + tx];
        }
      }
    }
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  var block = channels_place(workgroup.y * workgroups.x + workgroup.x, lane);
  let channel = block % params.blocks_c * BLOCK_C;
  block /= params.blocks_c;
  let group = block % params.groups;
  var pixels = pixels_place(block / params.groups, lane);
  let block_x = pixels % params.blocks_x;
  pixels /= params.blocks_x;
  let block_y = pixels % params.blocks_y;
  let is_there = pixels / params.blocks_y < params.batch; // all go on: they may share loads
  let n = min(pixels / params.blocks_y, params.batch - 1u);
  // First row of grad_out of the patch; all of these wrap around above and left of the image.
  let out_top = block_y * (BLOCK_Y / STRIDE_HEIGHT) + params.pad_height / STRIDE_HEIGHT - REACH_Y;
  let out_left = block_x * (BLOCK_X / STRIDE_WIDTH) + params.pad_width / STRIDE_WIDTH - REACH_X;
  let top = block_y * BLOCK_Y - params.pad_height % STRIDE_HEIGHT;
  let left = block_x * BLOCK_X - params.pad_width % STRIDE_WIDTH;
  let grad_base = (n * params.groups + group) * params.out_channels;

  var sums: array<array<array<Lanes, BLOCK_X>, BLOCK_Y>, BLOCK_L>;
  var patch_rows: array<array<array<f32, PATCH_X>, PATCH_Y>, DEPTH>;
  var out_x: array<u32, PATCH_X>;
  var inside_x: array<bool, PATCH_X>;
  var taps: array<array<array<Lanes, SPAN_X>, SPAN_Y>, DEPTH>; // of LANES input channels; not all are used
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
    for (var c = 0u; c < BLOCK_L; c++) {
      // Channels past the last repeat it, and are not stored.
      let in_channels = channels_from(channel + LANES * c, params.in_channels - 1u, lane);
      // @unroll
      for (var d = 0u; d < DEPTH; d++) {
        let kernels = ((group * params.out_channels + o + d) * params.in_channels + in_channels) * (KERNEL_HEIGHT * KERNEL_WIDTH);
        // @unroll
        for (var ty = 0u; ty < KERNEL_HEIGHT; ty++) {
          // @unroll
          for (var tx = 0u; tx < KERNEL_WIDTH; tx++) {
            let at = kernels + (ty * KERNEL_WIDTH + tx);
            taps[d][ty][tx] = weight_at(at);
          }
        }
      }
      // Pixel (ry, rx) of a cell meets the kernel at every stride-th place from (ry, rx), where that is a tap and no gap. These
      // conditions are constants once the loops are written out.
      // @unroll
      for (var ry = 0u; ry < STRIDE_HEIGHT; ry++) {
        // @unroll
        for (var rx = 0u; rx < STRIDE_WIDTH; rx++) {
          // @unroll
          for (var cy = 0u; cy < CELLS_Y; cy++) {
            // @unroll
            for (var cx = 0u; cx < CELLS_X; cx++) {
              var sum = sums[c][cy * STRIDE_HEIGHT + ry][cx * STRIDE_WIDTH + rx];
              // @unroll
              for (var sy = 0u; sy < STEPS_Y; sy++) {
                if (ry + sy * STRIDE_HEIGHT < EXTENT_Y && (ry + sy * STRIDE_HEIGHT) % DILATION_HEIGHT == 0u) {
                  // @unroll
                  for (var sx = 0u; sx < STEPS_X; sx++) {
                    if (rx + sx * STRIDE_WIDTH < EXTENT_X && (rx + sx * STRIDE_WIDTH) % DILATION_WIDTH == 0u) {
                      // @unroll
                      for (var d = 0u; d < DEPTH; d++) {
                        sum += taps[d][(ry + sy * STRIDE_HEIGHT) / DILATION_HEIGHT][(rx + sx * STRIDE_WIDTH) / DILATION_WIDTH] *
                          patch_rows[d][cy + REACH_Y - sy][cx + REACH_X - sx];
                      }
                    }
                  }
                }
              }
              sums[c][cy * STRIDE_HEIGHT + ry][cx * STRIDE_WIDTH + rx] = sum;
            }
          }
        }
      }
    }
  }

  var results: array<array<array<Lanes, BLOCK_X>, BLOCK_Y>, BLOCK_L>; // a copy, since the loop below indexes it by a variable
  // @unroll
  for (var c = 0u; c < BLOCK_L; c++) {
    // @unroll
    for (var iy = 0u; iy < BLOCK_Y; iy++) {
      // @unroll
      for (var ix = 0u; ix < BLOCK_X; ix++) {
        results[c][iy][ix] = sums[c][iy][ix];
      }
    }
  }
  if (!is_there) {
    return;
  }
  let plane = (n * params.groups + group) * params.in_channels + channel;
  let channels = min(BLOCK_C, params.in_channels - channel);
  let reaches_y = (out_top < params.out_height) & (out_top + PATCH_Y <= params.out_height);
  let reaches_x = (out_left < params.out_width) & (out_left + PATCH_X <= params.out_width);
  var c = 0u;
  loop {
    var iy = 0u;
    loop {
      let line = ((plane + c) * params.height + top + iy) * params.width + left;
      var ix = 0u;
      loop {
        if ((top + iy < params.height) & (left + ix < params.width)) {
          var value = lane_of(results[c / LANES][iy][ix], c % LANES);
          if (is_nan(value) & !(reaches_y & reaches_x)) {
            value = sum_inside(grad_base, group, channel + c, top + iy, left + ix);
          }
          output[line + ix] = epilogue(value, line + ix);
        }
        continuing {
          ix++;
          break if ix >= BLOCK_X;
        }
      }
      continuing {
        iy++;
        break if iy >= BLOCK_Y;
      }
    }
    continuing {
      c++;
      break if c >= channels;
    }
  }
}
