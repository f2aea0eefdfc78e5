// grad_weight[o, c, i, j] = sum_{n, y, x} grad_out[n, o, y, x] * input[n, c, y * stride - pad + i * dilation, ...].
// NCHW and OIHW. One invocation makes BLOCK_O x BLOCK_C kernels (TAPS_Y x TAPS_X of each) in registers, over tiles of
// TILE_Y x TILE_X pixels of grad_out, for one of `splits` chunks of all tiles. A wrapper may have the invocations of a subgroup share the
// loads of grad_out, through the hooks. sumPartials adds the chunks. With HAS_BIAS further
// invocations make grad_bias[o] = sum_{n, y, x} grad_out[n, o, y, x], of a channel and a chunk each.
// Grid: one invocation a block, linear over (split, group, channel block of o, of c, kernel row block, kernel column block); then one a
// (split, channel).

const WORKGROUP = 4u;
const LANES = 4u; // channels that a value holds
const KERNEL_HEIGHT = 3u;
const KERNEL_WIDTH = 3u;
const STRIDE_HEIGHT = 1u;
const STRIDE_WIDTH = 1u;
const DILATION_HEIGHT = 1u;
const DILATION_WIDTH = 1u;
const BLOCK_L = 1u; // BLOCK_O / LANES
const BLOCK_C = 2u;
const TAPS_Y = 3u; // kernel rows of a block: KERNEL_HEIGHT or 1
const TAPS_X = 3u; // kernel columns of a block: KERNEL_WIDTH or 1
const TILE_Y = 2u; // divides out_height
const TILE_X = 2u; // divides out_width
const STEP_Y = 1u; // input rows from one row of the patch to the next: a common divisor of stride and dilation
const STEP_X = 1u;
const HAS_BIAS = 1u;
const BIAS_BLOCK = 64u; // tiles that are summed before they are added to the rest: so rounding does not add up along all
const BLOCK_O = LANES * BLOCK_L;
const PATCH_Y = ((TILE_Y - 1u) * STRIDE_HEIGHT + (TAPS_Y - 1u) * DILATION_HEIGHT) / STEP_Y + 1u;
const PATCH_X = ((TILE_X - 1u) * STRIDE_WIDTH + (TAPS_X - 1u) * DILATION_WIDTH) / STEP_X + 1u;

alias Lanes = vec4<f32>;
alias Places = vec4<u32>;

struct Params {
  groups: u32, in_channels: u32, out_channels: u32, // channels of one group
  height: u32, width: u32, out_height: u32, out_width: u32, pad_height: u32, pad_width: u32,
  blocks_o: u32, blocks_c: u32, splits: u32, tiles: u32, split_tiles: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad_bias: array<f32>; // [groups * out_channels]
@group(0) @binding(4) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook
fn store_bias(value: f32, channel: u32, split: u32) { grad_bias[channel] = value; } // @hook

// Which block an invocation takes: the place of its out channels among `inner` of one, and of its taps and in channels.
fn outer_place(workgroup: u32, lane: u32, inner: u32) -> u32 { return (workgroup * WORKGROUP + lane) / inner; } // @hook
fn inner_place(workgroup: u32, lane: u32, inner: u32) -> u32 { return (workgroup * WORKGROUP + lane) % inner; } // @hook
fn invocations_of(inner: u32, outer: u32) -> u32 { return inner * outer; } // @hook

// What a block has LANES channels at once in: neighbours of one group. For fewer channels a wrapper makes them scalars.
fn channels_from(first: u32, last: u32, lane: u32) -> Places { return min(first + vec4(0u, 1u, 2u, 3u), vec4(last)); } // @hook
fn grad_out_at(at: Places) -> Lanes { return vec4(grad_out[at.x], grad_out[at.y], grad_out[at.z], grad_out[at.w]); } // @hook
fn lane_of(values: Lanes, lane: u32) -> f32 { return values[lane]; } // @hook

// Sum over one chunk of tiles of a channel of all groups' channels.
fn sum_channel(channel: u32, split: u32) -> f32 {
  let tiles_y = params.out_height / TILE_Y;
  let tiles_x = params.out_width / TILE_X;
  let end = min((split + 1u) * params.split_tiles, params.tiles);
  var sum = 0.0;
  for (var first = split * params.split_tiles; first < end; first += BIAS_BLOCK) {
    var part = 0.0;
    for (var tile = first; tile < min(first + BIAS_BLOCK, end); tile++) {
      let out_x = tile % tiles_x * TILE_X;
      let out_y = tile / tiles_x % tiles_y * TILE_Y;
      let n = tile / (tiles_x * tiles_y);
      let line = ((n * params.groups * params.out_channels + channel) * params.out_height + out_y) * params.out_width + out_x;
      var pixels = 0.0;
      // @unroll
      for (var oy = 0u; oy < TILE_Y; oy++) {
        // @unroll
        for (var ox = 0u; ox < TILE_X; ox++) {
          pixels += grad_out[line + oy * params.out_width + ox];
        }
      }
      part += pixels;
    }
    sum += part;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup.y * workgroups.x + workgroup.x;
  let inner = (KERNEL_WIDTH / TAPS_X) * (KERNEL_HEIGHT / TAPS_Y) * params.blocks_c;
  var part = inner_place(index, lane, inner);
  let is_there = part < inner; // all go on: they may share loads
  let kernel_x = part % (KERNEL_WIDTH / TAPS_X) * TAPS_X;
  part /= KERNEL_WIDTH / TAPS_X;
  let kernel_y = part % (KERNEL_HEIGHT / TAPS_Y) * TAPS_Y;
  let in_channel = part / (KERNEL_HEIGHT / TAPS_Y) * BLOCK_C;
  var block = outer_place(index, lane, inner);
  let out_channel = block % params.blocks_o * BLOCK_O;
  block /= params.blocks_o;
  let group = block % params.groups;
  let split = block / params.groups;
  if (split >= params.splits) {
    let blocks = invocations_of(inner, params.splits * params.groups * params.blocks_o);
    let all = params.groups * params.out_channels;
    let job = index * WORKGROUP + lane - blocks;
    if (HAS_BIAS > 0u && job < params.splits * all) {
      store_bias(sum_channel(job % all, job / all), job % all, job / all);
    }
    return;
  }
  let tiles_y = params.out_height / TILE_Y;
  let tiles_x = params.out_width / TILE_X;
  let top = kernel_y * DILATION_HEIGHT - params.pad_height; // wraps around above and left of the image
  let left = kernel_x * DILATION_WIDTH - params.pad_width;

  var sums: array<array<array<array<Lanes, TAPS_X>, TAPS_Y>, BLOCK_C>, BLOCK_L>;
  var grads: array<array<array<Lanes, TILE_X>, TILE_Y>, BLOCK_L>; // of LANES output channels each
  var in_x: array<u32, PATCH_X>;
  var inside_x: array<bool, PATCH_X>;
  var patch_rows: array<array<f32, PATCH_X>, PATCH_Y>;
  let end = min((split + 1u) * params.split_tiles, params.tiles);
  for (var tile = split * params.split_tiles; tile < end; tile++) {
    let out_x = tile % tiles_x * TILE_X;
    let out_y = tile / tiles_x % tiles_y * TILE_Y;
    let n = tile / (tiles_x * tiles_y);
    // @unroll
    for (var px = 0u; px < PATCH_X; px++) {
      in_x[px] = left + out_x * STRIDE_WIDTH + px * STEP_X;
      inside_x[px] = in_x[px] < params.width;
    }
    // @unroll
    for (var o = 0u; o < BLOCK_L; o++) {
      // Channels past the last repeat it, and are not stored.
      let channels = (n * params.groups + group) * params.out_channels +
        channels_from(out_channel + LANES * o, params.out_channels - 1u, lane);
      // @unroll
      for (var oy = 0u; oy < TILE_Y; oy++) {
        let lines = (channels * params.out_height + out_y + oy) * params.out_width + out_x;
        // @unroll
        for (var ox = 0u; ox < TILE_X; ox++) {
          let at = lines + ox;
          grads[o][oy][ox] = grad_out_at(at);
        }
      }
    }
    // @unroll
    for (var c = 0u; c < BLOCK_C; c++) {
      let channel = (n * params.groups + group) * params.in_channels + min(in_channel + c, params.in_channels - 1u);
      // @unroll
      for (var py = 0u; py < PATCH_Y; py++) {
        let in_y = top + out_y * STRIDE_HEIGHT + py * STEP_Y;
        let inside_y = in_y < params.height;
        let line = (channel * params.height + in_y) * params.width;
        // @unroll
        for (var px = 0u; px < PATCH_X; px++) {
          patch_rows[py][px] = select(0.0, input[line + in_x[px]], inside_y & inside_x[px]);
        }
      }
      // @unroll
      for (var o = 0u; o < BLOCK_L; o++) {
        // @unroll
        for (var ty = 0u; ty < TAPS_Y; ty++) {
          // @unroll
          for (var tx = 0u; tx < TAPS_X; tx++) {
            var sum = sums[o][c][ty][tx];
            // @unroll
            for (var oy = 0u; oy < TILE_Y; oy++) {
              // @unroll
              for (var ox = 0u; ox < TILE_X; ox++) {
                sum += grads[o][oy][ox] * patch_rows[(oy * STRIDE_HEIGHT + ty * DILATION_HEIGHT) / STEP_Y][(ox * STRIDE_WIDTH + tx * DILATION_WIDTH) / STEP_X];
              }
            }
            sums[o][c][ty][tx] = sum;
          }
        }
      }
    }
  }

  if (!is_there) {
    return;
  }
  var results: array<array<array<array<Lanes, TAPS_X>, TAPS_Y>, BLOCK_C>, BLOCK_L>; // a copy, since the loops below index it by a variable
  // @unroll
  for (var o = 0u; o < BLOCK_L; o++) {
    // @unroll
    for (var c = 0u; c < BLOCK_C; c++) {
      // @unroll
      for (var ty = 0u; ty < TAPS_Y; ty++) {
        // @unroll
        for (var tx = 0u; tx < TAPS_X; tx++) {
          results[o][c][ty][tx] = sums[o][c][ty][tx];
        }
      }
    }
  }
  var o = 0u;
  loop {
    let line = ((split * params.groups + group) * params.out_channels + out_channel + o) * params.in_channels + in_channel;
    var c = 0u;
    loop {
      var ty = 0u;
      loop {
        let index = ((line + c) * KERNEL_HEIGHT + kernel_y + ty) * KERNEL_WIDTH + kernel_x;
        var tx = 0u;
        loop {
          output[index + tx] = epilogue(lane_of(results[o / LANES][c][ty][tx], o % LANES), index + tx);
          continuing {
            tx++;
            break if tx >= TAPS_X;
          }
        }
        continuing {
          ty++;
          break if ty >= TAPS_Y;
        }
      }
      continuing {
        c++;
        break if c >= min(BLOCK_C, params.in_channels - in_channel);
      }
    }
    continuing {
      o++;
      break if o >= min(BLOCK_O, params.out_channels - out_channel);
    }
  }
}
