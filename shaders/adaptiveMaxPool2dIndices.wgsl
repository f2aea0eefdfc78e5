// indices[plane, y, x] = where in its plane input has the largest pixel of rows floor(y * height / out_height) to
// ceil((y + 1) * height / out_height), and of such columns. NCHW, planes = n * c.
// As in PyTorch: the first of equal pixels in row-major order, and the last NaN before any number.
// Loops test at their end: SwiftShader runs the body of one that tests first once more than it turns.
// Grid: one invocation a window, linear over (plane, row, column), folded into x and y.

const WORKGROUP = 64u;

struct Params { planes: u32, height: u32, width: u32, out_height: u32, out_width: u32 }

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
  let window = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let out_x = window % params.out_width;
  let row = window / params.out_width; // of all planes' windows
  let out_y = row % params.out_height;
  let plane = row / params.out_height;
  if (plane >= params.planes) {
    return;
  }
  let left = out_x * params.width / params.out_width;
  let right = ((out_x + 1u) * params.width + params.out_width - 1u) / params.out_width;
  let bottom = ((out_y + 1u) * params.height + params.out_height - 1u) / params.out_height;
  let base = plane * params.height * params.width;
  var y = out_y * params.height / params.out_height;
  var at = y * params.width + left;
  var best = input[base + at];
  loop {
    var x = left;
    loop {
      let pixel = y * params.width + x;
      let value = input[base + pixel];
      let better = is_nan(value) | (!is_nan(best) & (value > best));
      best = select(best, value, better);
      at = select(at, pixel, better);
      continuing {
        x++;
        break if x >= right;
      }
    }
    continuing {
      y++;
      break if y >= bottom;
    }
  }
  output[window] = i32(at);
}
