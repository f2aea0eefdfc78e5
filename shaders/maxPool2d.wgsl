// output[plane, y, x] = epilogue(largest of input's window), NaN if there is one in it. NCHW, planes = n * c.
// Positions outside repeat the window's first or last inside, one along each side: every window has one.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: one invocation for RUN outputs of a row, linear over (plane, row, run), folded into x and y.

const WORKGROUP = 64u;
const KERNEL_HEIGHT = 2u;
const KERNEL_WIDTH = 2u;
const DILATION_HEIGHT = 1;
const DILATION_WIDTH = 1;
const WRITTEN = 1u; // 1 where the elements of a window are written out, or
const LOOPED = 0u; // 1 where they are too many
const RUN = 4u;

struct Params {
  planes: u32, height: i32, width: i32, out_height: u32, out_width: u32,
  stride_height: i32, stride_width: i32, pad_height: i32, pad_width: i32, runs: u32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; } // @lib

fn larger(best: f32, value: f32, is_first: bool) -> f32 {
  return select(best, value, is_nan(value) | (!is_nan(best) & (value > best)) | is_first);
}

// The first and the last place of a window that lie inside, along one side.
fn first_inside(start: i32, dilation: i32) -> i32 {
  if (dilation == 1) {
    return max(start, 0); // divisions are slow
  }
  return start + max((dilation - 1 - start) / dilation, 0) * dilation;
}
fn last_inside(start: i32, dilation: i32, size: i32) -> i32 {
  if (dilation == 1) {
    return size - 1;
  }
  return start + (size - 1 - start) / dilation * dilation;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let begin = block % params.runs * RUN;
  let row = block / params.runs; // of all planes' outputs
  let plane = row / params.out_height;
  if (plane >= params.planes) {
    return;
  }
  let top = i32(row % params.out_height) * params.stride_height - params.pad_height;
  let first_y = first_inside(top, DILATION_HEIGHT);
  let last_y = last_inside(top, DILATION_HEIGHT, params.height);
  var out_x = begin;
  loop {
    let left = i32(out_x) * params.stride_width - params.pad_width;
    let first_x = first_inside(left, DILATION_WIDTH);
    let last_x = last_inside(left, DILATION_WIDTH, params.width);
    var best = 0.0;
    // @unroll
    for (var written = 0u; written < WRITTEN; written++) {
      // @unroll
      for (var i = 0u; i < KERNEL_HEIGHT; i++) {
        let line = (i32(plane) * params.height + clamp(top + i32(i) * DILATION_HEIGHT, first_y, last_y)) * params.width;
        // @unroll
        for (var j = 0u; j < KERNEL_WIDTH; j++) {
          best = larger(best, input[line + clamp(left + i32(j) * DILATION_WIDTH, first_x, last_x)], i + j == 0u);
        }
      }
    }
    // @unroll
    for (var looped = 0u; looped < LOOPED; looped++) {
      var i = 0u;
      loop {
        let line = (i32(plane) * params.height + clamp(top + i32(i) * DILATION_HEIGHT, first_y, last_y)) * params.width;
        var j = 0u;
        loop {
          best = larger(best, input[line + clamp(left + i32(j) * DILATION_WIDTH, first_x, last_x)], i + j == 0u);
          continuing {
            j++;
            break if j >= KERNEL_WIDTH;
          }
        }
        continuing {
          i++;
          break if i >= KERNEL_HEIGHT;
        }
      }
    }
    let index = row * params.out_width + out_x;
    output[index] = epilogue(best, index);
    continuing {
      out_x++;
      break if out_x >= min(begin + RUN, params.out_width);
    }
  }
}
