// grad_input as conv2dGradInput makes it, with the kernel's taps in loops and not written out: for kernels that are large,
// dilated or far apart. NCHW and OIHW.
// One invocation makes BLOCK_C channels x CELLS_Y x CELLS_X pixels that lie a stride apart, so that the same taps reach all of
// them. What lies outside of grad_out is not multiplied: no NaN comes of an infinite weight there.
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
const CELLS_Y = 2u;
const CELLS_X = 4u;
const TAP_STEP_Y = 1u; // from one kernel row that reaches a pixel to the next: stride / gcd(stride, dilation)
const TAP_STEP_X = 1u;
const BLOCK_C = LANES * BLOCK_L;

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

// What a block has LANES channels at once in: neighbours of one group. For fewer channels a wrapper makes them scalars.
fn channels_from(first: u32, last: u32, lane: u32) -> Places { return min(first + vec4(0u, 1u, 2u, 3u), vec4(last)); } // @hook
fn weight_at(at: Places) -> Lanes { return vec4(weight[at.x], weight[at.y], weight[at.z], weight[at.w]); } // @hook
fn lane_of(values: Lanes, lane: u32) -> f32 { return values[lane]; } // @hook

// The first tap that a place of the padded input meets at a multiple of the stride; past all taps where there is none.
fn first_tap(place: u32, stride: u32, dilation: u32, step: u32) -> u32 {
  var tap = 0u;
  while (tap < step && (i32(place) - i32(tap * dilation)) % i32(stride) != 0) {
    tap++;
  }
  return select(tap, 0x7fffffffu, tap == step);
}

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
  let top = block_y / STRIDE_HEIGHT * (CELLS_Y * STRIDE_HEIGHT) + block_y % STRIDE_HEIGHT;
  let left = block_x / STRIDE_WIDTH * (CELLS_X * STRIDE_WIDTH) + block_x % STRIDE_WIDTH;
  let place_y = top + params.pad_height;
  let place_x = left + params.pad_width;
  let grad_base = (n * params.groups + group) * params.out_channels;
  let tap_y = first_tap(place_y, STRIDE_HEIGHT, DILATION_HEIGHT, TAP_STEP_Y);
  let tap_x = first_tap(place_x, STRIDE_WIDTH, DILATION_WIDTH, TAP_STEP_X);

  var sums: array<array<array<Lanes, CELLS_X>, CELLS_Y>, BLOCK_L>;
  var patch_rows: array<array<f32, CELLS_X>, CELLS_Y>;
  for (var ty = tap_y; ty < KERNEL_HEIGHT; ty += TAP_STEP_Y) {
    let out_y = u32((i32(place_y) - i32(ty * DILATION_HEIGHT)) / i32(STRIDE_HEIGHT)); // wraps around above
    for (var tx = tap_x; tx < KERNEL_WIDTH; tx += TAP_STEP_X) {
      let out_x = u32((i32(place_x) - i32(tx * DILATION_WIDTH)) / i32(STRIDE_WIDTH));
      for (var o = 0u; o < params.out_channels; o++) {
        let plane = (grad_base + o) * params.out_height;
        // @unroll
        for (var cy = 0u; cy < CELLS_Y; cy++) {
          let line = (plane + out_y + cy) * params.out_width + out_x;
          // @unroll
          for (var cx = 0u; cx < CELLS_X; cx++) {
            let inside = (out_y + cy < params.out_height) & (out_x + cx < params.out_width);
            patch_rows[cy][cx] = grad_out[select(0u, line + cx, inside)];
          }
        }
        // @unroll
        for (var c = 0u; c < BLOCK_L; c++) {
          // Channels past the last repeat it, and are not stored.
          let in_channels = channels_from(channel + LANES * c, params.in_channels - 1u, lane);
          let at = ((group * params.out_channels + o) * params.in_channels + in_channels) * (KERNEL_HEIGHT * KERNEL_WIDTH) +
            (ty * KERNEL_WIDTH + tx);
          let taps = weight_at(at);
          // @unroll
          for (var cy = 0u; cy < CELLS_Y; cy++) {
            // @unroll
            for (var cx = 0u; cx < CELLS_X; cx++) {
              let inside = (out_y + cy < params.out_height) & (out_x + cx < params.out_width);
              let sum = sums[c][cy][cx];
              sums[c][cy][cx] = select(sum, sum + taps * patch_rows[cy][cx], inside);
            }
          }
        }
      }
    }
  }

  var results: array<array<array<Lanes, CELLS_X>, CELLS_Y>, BLOCK_L>; // a copy, since the loop below indexes it by a variable
  // @unroll
  for (var c = 0u; c < BLOCK_L; c++) {
    // @unroll
    for (var cy = 0u; cy < CELLS_Y; cy++) {
      // @unroll
      for (var cx = 0u; cx < CELLS_X; cx++) {
        results[c][cy][cx] = sums[c][cy][cx];
      }
    }
  }
  let plane = (n * params.groups + group) * params.in_channels + channel;
  var c = 0u;
  loop {
    // @unroll
    for (var cy = 0u; cy < CELLS_Y; cy++) {
      let y = top + cy * STRIDE_HEIGHT;
      let line = ((plane + c) * params.height + y) * params.width + left;
      // @unroll
      for (var cx = 0u; cx < CELLS_X; cx++) {
        if ((y < params.height) & (left + cx * STRIDE_WIDTH < params.width)) {
          let index = line + cx * STRIDE_WIDTH;
          output[index] = epilogue(lane_of(results[c / LANES][cy][cx], c % LANES), index);
        }
      }
    }
    continuing {
      c++;
      break if c >= min(BLOCK_C, params.in_channels - channel);
    }
  }
}
