// grad_input[plane, y, x] = sum of grad_out over the windows whose largest pixel is (y, x), as maxPool2dIndices found them.
// NCHW, planes = n * c. Each pixel looks at every window that may cover it: no atomics, and sums in the order of the windows.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: one invocation for RUN pixels of a row, linear over (plane, row, run), folded into x and y.

const WORKGROUP = 64u;
const RUN = 4u;
const COVER_Y = 1u; // windows that may cover a pixel: ceil(extent of a window / stride)
const COVER_X = 1u;
const WRITTEN = 1u; // 1 where they are written out, or
const LOOPED = 0u; // 1 where they are too many

struct Params {
  planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
  stride_height: u32, stride_width: u32, pad_height: u32, pad_width: u32, runs: u32,
}

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn epilogue(value: f32, index: u32) -> f32 { return value; } // @hook

// The sum, with the gradient of a window if the pixel is its largest.
fn with_window(sum: f32, plane: u32, out_y: u32, out_x: u32, pixel: i32) -> f32 {
  let inside = (out_y < params.out_height) & (out_x < params.out_width);
  let window = select(0u, (plane * params.out_height + out_y) * params.out_width + out_x, inside);
  return select(sum, sum + grad_out[window], inside & (indices[window] == pixel));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let begin = block % params.runs * RUN;
  let row = block / params.runs; // of all planes' pixels
  let plane = row / params.height;
  if (plane >= params.planes) {
    return;
  }
  let y = row % params.height;
  // The windows before and at the last that starts at or before the pixel; the rest wraps around below 0.
  let last_y = (y + params.pad_height) / params.stride_height;
  var last_x = (begin + params.pad_width) / params.stride_width;
  var within = (begin + params.pad_width) % params.stride_width; // counted along: divisions are slow
  var x = begin;
  loop {
    let pixel = i32(y * params.width + x);
    var sum = 0.0;
    // @unroll
    for (var written = 0u; written < WRITTEN; written++) {
      // @unroll
      for (var i = 0u; i < COVER_Y; i++) {
        let out_y = last_y + i - (COVER_Y - 1u);
        // @unroll
        for (var j = 0u; j < COVER_X; j++) {
          sum = with_window(sum, plane, out_y, last_x + j - (COVER_X - 1u), pixel);
        }
      }
    }
    // @unroll
    for (var looped = 0u; looped < LOOPED; looped++) {
      var i = 0u;
      loop {
        let out_y = last_y + i - (COVER_Y - 1u);
        var j = 0u;
        loop {
          sum = with_window(sum, plane, out_y, last_x + j - (COVER_X - 1u), pixel);
          continuing {
            j++;
            break if j >= COVER_X;
          }
        }
        continuing {
          i++;
          break if i >= COVER_Y;
        }
      }
    }
    let index = row * params.width + x;
    output[index] = epilogue(sum, index);
    within++;
    let next = within == params.stride_width;
    within = select(within, 0u, next);
    last_x = select(last_x, last_x + 1u, next);
    continuing {
      x++;
      break if x >= min(begin + RUN, params.width);
    }
  }
}
