// Partial norms of the gradients in an arena, one a workgroup. Lines marked @lib stand in for shaders/lib.
// Parameters without a gradient do not count, nor does what lies beyond a parameter's end.
// Grid: (ceil(count / CHUNK), 1, 1), folded into y beyond 65,535.

const WORKGROUP = 64u;
const CHUNK = 4096u; // vec4s a workgroup
const KIND = 2u; // 0: max |g|, 1: sum |g|, 2: sum g^2, 3: sum |g|^p, 4: min |g|

struct Params {
  count: u32, // vec4s, a multiple of 16
  offset: u32, // where this arena's partial norms begin
}

@group(0) @binding(0) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(2) var<storage, read> segments: array<u32>; // 0: skipped
@group(0) @binding(3) var<storage, read> ranges: array<vec2<u32>>; // of a segment: its first element, and the one after its last
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;
@group(0) @binding(5) var<uniform> settings: vec4<f32>; // p, 1 / p, max norm
@group(0) @binding(6) var<uniform> params: Params;

fn norm_identity(kind: u32) -> f32 { return 0.0; } // @lib
fn norm_join4(kind: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a + b; } // @lib
fn norm_join(kind: u32, a: f32, b: f32) -> f32 { return a + b; } // @lib
fn norm_of4(kind: u32, g: vec4<f32>, p: f32) -> vec4<f32> { return g * g; } // @lib
fn is_within4(first: u32, end: u32) -> vec4<bool> { return vec4<bool>(first < end); } // @lib

var<workgroup> folded: array<f32, WORKGROUP>;

fn fold(chunk: u32, lane: u32) -> f32 {
  let identity = vec4<f32>(norm_identity(KIND));
  var total = identity;
  for (var i = chunk * CHUNK + lane; i < min((chunk + 1u) * CHUNK, params.count); i += WORKGROUP) {
    let segment = blocks[i / 16u];
    if (segments[segment] == 0u) { continue; }
    let value = norm_of4(KIND, grad[i], settings.x);
    total = norm_join4(KIND, total, select(identity, value, is_within4(4u * i, ranges[segment].y)));
  }
  return norm_join(KIND, norm_join(KIND, total.x, total.y), norm_join(KIND, total.z, total.w));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let chunk = workgroup.y * workgroups.x + workgroup.x;
  if (chunk * CHUNK >= params.count) { return; }
  folded[local] = fold(chunk, local);
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { folded[local] = norm_join(KIND, folded[local], folded[local + half]); }
  }
  if (local == 0u) { partials[params.offset + chunk] = folded[0]; }
}
