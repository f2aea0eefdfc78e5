// Second pass of lars: of each parameter, trust_coefficient * |param| / |grad + weight_decay * param|, or 1 where a norm is not
// positive, from the sums over its blocks. Lines marked @lib stand in for shaders/lib.
// Grid: a workgroup a segment, folded into y beyond 65,535.

const WORKGROUP = 64u;
const STATE_ADAPTED = 2u;

struct Params { segments: u32 }

@group(0) @binding(0) var<storage, read> sums: array<vec2<f32>>; // of each block of 64 elements
@group(0) @binding(1) var<storage, read> segments: array<u32>; // group << 2 | state
@group(0) @binding(2) var<storage, read> ranges: array<vec2<u32>>; // of a segment: its first element, and the one after its last
@group(0) @binding(3) var<storage, read_write> trusts: array<f32>;
@group(0) @binding(4) var<uniform> groups: array<LarsGroup, 32>;
@group(0) @binding(5) var<uniform> params: Params;

struct LarsGroup { lr: f32, momentum: f32, weight_decay: f32, trust_coefficient: f32 } // @lib
fn is_gt(a: f32, b: f32) -> bool { return a > b; } // @lib
fn ieee_sqrt(x: f32) -> f32 { return sqrt(x); } // @lib

var<workgroup> shared_sums: array<vec2<f32>, WORKGROUP>;

fn sums_of(segment: u32, lane: u32) -> vec2<f32> {
  if ((segments[segment] & 3u) != STATE_ADAPTED) { return vec2<f32>(0.0); }
  let range = ranges[segment];
  var total = vec2<f32>(0.0);
  for (var block = range.x / 64u + lane; block < (range.y + 63u) / 64u; block += WORKGROUP) { total += sums[block]; }
  return total;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let segment = workgroup.y * workgroups.x + workgroup.x;
  if (segment >= params.segments) { return; }
  shared_sums[local] = sums_of(segment, local);
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { shared_sums[local] += shared_sums[local + half]; }
  }
  if (local == 0u) {
    let of_param = ieee_sqrt(shared_sums[0].x);
    let of_update = ieee_sqrt(shared_sums[0].y);
    let trust = groups[segments[segment] >> 2u].trust_coefficient * of_param / of_update;
    trusts[segment] = select(1.0, trust, is_gt(of_param, 0.0) & is_gt(of_update, 0.0));
  }
}
