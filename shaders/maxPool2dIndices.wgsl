// indices[plane, y, x] = where in its plane input's window has its largest pixel. NCHW, planes = n * c.
// As in PyTorch: the first of equal pixels in row-major order, and the last NaN before any number.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: one invocation for RUN windows of a row, linear over (plane, row, run), folded into x and y.

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
@group(0) @binding(1) var<storage, read_write> output: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; } // @lib

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let begin = block % params.runs * RUN;
  let row = block / params.runs; // of all planes' windows
  let plane = row / params.out_height;
  if (plane >= params.planes) {
    return;
  }
  let base = i32(plane) * params.height * params.width;
  let top = i32(row % params.out_height) * params.stride_height - params.pad_height;
  var out_x = begin;
  loop {
    let left = i32(out_x) * params.stride_width - params.pad_width;
    var best = 0.0;
    var at = -1;
    // @unroll
    for (var written = 0u; written < WRITTEN; written++) {
      // @unroll
      for (var i = 0u; i < KERNEL_HEIGHT; i++) {
        let y = top + i32(i) * DILATION_HEIGHT;
        let inside_y = (y >= 0) & (y < params.height);
        let line = y * params.width;
        // @unroll
        for (var j = 0u; j < KERNEL_WIDTH; j++) {
          let x = left + i32(j) * DILATION_WIDTH;
          let inside = inside_y & (x >= 0) & (x < params.width);
          let value = input[select(0, base + line + x, inside)];
          let better = inside & (is_nan(value) | (!is_nan(best) & (value > best)) | (at < 0));
          best = select(best, value, better);
          at = select(at, line + x, better);
        }
      }
    }
    // @unroll
    for (var looped = 0u; looped < LOOPED; looped++) {
      var i = 0u;
      loop {
        let y = top + i32(i) * DILATION_HEIGHT;
        let inside_y = (y >= 0) & (y < params.height);
        let line = y * params.width;
        var j = 0u;
        loop {
          let x = left + i32(j) * DILATION_WIDTH;
          let inside = inside_y & (x >= 0) & (x < params.width);
          let value = input[select(0, base + line + x, inside)];
          let better = inside & (is_nan(value) | (!is_nan(best) & (value > best)) | (at < 0));
          best = select(best, value, better);
          at = select(at, line + x, better);
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
    output[row * params.out_width + out_x] = at;
    continuing {
      out_x++;
      break if out_x >= min(begin + RUN, params.out_width);
    }
  }
}
