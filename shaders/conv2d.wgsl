// output[n, o, y, x] = epilogue(sum_{c, i, j} input[n, c, y * stride - pad + i * dilation, ...] * weight[o, c, i, j]).
// NCHW and OIHW. One invocation makes BLOCK_C channels x BLOCK_Y x BLOCK_X pixels in registers: an input channel's patch
// is loaded once for all of them. No workgroup memory, no barriers; a wrapper may have the invocations of a subgroup share the loads of
// weights, through its hooks.
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
const BLOCK_Y = 4u;
const BLOCK_X = 4u;
const DEPTH = 1u; // input channels a turn: a divisor of in_channels
const ONE_TURN = 0u; // 1 where one turn takes all of in_channels and of the kernel
const TAPS_Y = 3u; // kernel rows a turn: KERNEL_HEIGHT or 1
const TAPS_X = 3u; // kernel columns a turn: KERNEL_WIDTH or 1
const STEP_Y = 1u; // input rows from one row of the patch to the next: a common divisor of stride and dilation
const STEP_X = 1u;
const BLOCK_C = LANES * BLOCK_L;
const TURNS_X = KERNEL_WIDTH / TAPS_X;
const TURNS = KERNEL_HEIGHT / TAPS_Y * TURNS_X; // that a channel takes
const PATCH_Y = ((BLOCK_Y - 1u) * STRIDE_HEIGHT + (TAPS_Y - 1u) * DILATION_HEIGHT) / STEP_Y + 1u;
const PATCH_X = ((BLOCK_X - 1u) * STRIDE_WIDTH + (TAPS_X - 1u) * DILATION_WIDTH) / STEP_X + 1u;

alias Lanes = vec4<f32>;
alias Places = vec4<u32>;

struct Params {
  batch: u32, groups: u32, in_channels: u32, out_channels: u32, // channels of one group
  height: u32, width: u32, out_height: u32, out_width: u32, pad_height: u32, pad_width: u32,
  blocks_c: u32, blocks_y: u32, blocks_x: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
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
  let out_x = pixels % params.blocks_x * BLOCK_X;
  pixels /= params.blocks_x;
  let out_y = pixels % params.blocks_y * BLOCK_Y;
  let is_there = pixels / params.blocks_y < params.batch; // all go on: they may share loads
  let n = min(pixels / params.blocks_y, params.batch - 1u);
  let top = out_y * STRIDE_HEIGHT - params.pad_height; // wraps around above and left of the image
  let left = out_x * STRIDE_WIDTH - params.pad_width;
  let input_base = (n * params.groups + group) * params.in_channels;
  let weight_length = params.in_channels * KERNEL_HEIGHT * KERNEL_WIDTH; // of one output channel

  var sums: array<array<array<Lanes, BLOCK_X>, BLOCK_Y>, BLOCK_L>;
  var patch_rows: array<array<array<f32, PATCH_X>, PATCH_Y>, DEPTH>;
  var in_x: array<u32, PATCH_X>;
  var inside_x: array<bool, PATCH_X>;
  var taps: array<array<array<Lanes, TAPS_X>, TAPS_Y>, DEPTH>; // of LANES output channels
  for (var turn = 0u; turn < params.in_channels / DEPTH * TURNS; turn++) {
    let c = turn / TURNS * DEPTH;
    let kernel_y = turn % TURNS / TURNS_X * TAPS_Y;
    let kernel_x = turn % TURNS_X * TAPS_X;
    // @unroll
    for (var px = 0u; px < PATCH_X; px++) {
      in_x[px] = left + kernel_x * DILATION_WIDTH + px * STEP_X;
      inside_x[px] = in_x[px] < params.width;
    }
    // @unroll
    for (var d = 0u; d < DEPTH; d++) {
      let plane = (input_base + c + d) * params.height;
      // @unroll
      for (var py = 0u; py < PATCH_Y; py++) {
        let in_y = top + kernel_y * DILATION_HEIGHT + py * STEP_Y;
        let inside_y = in_y < params.height;
        let line = (plane + in_y) * params.width;
        // @unroll
        for (var px = 0u; px < PATCH_X; px++) {
          patch_rows[d][py][px] = select(0.0, input[line + in_x[px]], inside_y & inside_x[px]);
        }
      }
    }
    // @unroll
    for (var o = 0u; o < BLOCK_L; o++) {
      // Channels past the last repeat it, and are not stored.
      let out_channels = group * params.out_channels + channels_from(channel + LANES * o, params.out_channels - 1u, lane);
      // @unroll
      for (var d = 0u; d < DEPTH; d++) {
        let kernels = out_channels * weight_length + ((c + d) * KERNEL_HEIGHT + kernel_y) * KERNEL_WIDTH + kernel_x;
        // @unroll
        for (var ty = 0u; ty < TAPS_Y; ty++) {
          // @unroll
          for (var tx = 0u; tx < TAPS_X; tx++) {
            let at = kernels + ty * KERNEL_WIDTH + tx;
            taps[d][ty][tx] = weight_at(at);
          }
        }
      }
      // @unroll
      for (var oy = 0u; oy < BLOCK_Y; oy++) {
        // @unroll
        for (var ox = 0u; ox < BLOCK_X; ox++) {
          var sum = sums[o][oy][ox];
          // @unroll
          for (var d = 0u; d < DEPTH; d++) {
            // @unroll
            for (var ty = 0u; ty < TAPS_Y; ty++) {
              // @unroll
              for (var tx = 0u; tx < TAPS_X; tx++) {
                sum += taps[d][ty][tx] *
                  patch_rows[d][(oy * STRIDE_HEIGHT + ty * DILATION_HEIGHT) / STEP_Y][(ox * STRIDE_WIDTH + tx * DILATION_WIDTH) / STEP_X];
              }
            }
          }
          sums[o][oy][ox] = sum;
        }
      }
    }
    if (ONE_TURN == 1u) { // SwiftShader runs the body of a loop once more than it turns
      break;
    }
  }

  var results: array<array<array<Lanes, BLOCK_X>, BLOCK_Y>, BLOCK_L>; // a copy, since the loop below indexes it by a variable
  // @unroll
  for (var o = 0u; o < BLOCK_L; o++) {
    // @unroll
    for (var oy = 0u; oy < BLOCK_Y; oy++) {
      // @unroll
      for (var ox = 0u; ox < BLOCK_X; ox++) {
        results[o][oy][ox] = sums[o][oy][ox];
      }
    }
  }
  if (!is_there) {
    return;
  }
  let plane = (n * params.groups + group) * params.out_channels + channel;
  let channels = min(BLOCK_C, params.out_channels - channel);
  let rows = min(BLOCK_Y, params.out_height - out_y);
  let columns = min(BLOCK_X, params.out_width - out_x);
  var o = 0u;
  loop {
    var oy = 0u;
    loop {
      let line = ((plane + o) * params.out_height + out_y + oy) * params.out_width + out_x;
      var ox = 0u;
      loop {
        output[line + ox] = epilogue(lane_of(results[o / LANES][oy][ox], o % LANES), line + ox);
        continuing {
          ox++;
          break if ox >= columns;
        }
      }
      continuing {
        oy++;
        break if oy >= rows;
      }
    }
    continuing {
      o++;
      break if o >= channels;
    }
  }
}
