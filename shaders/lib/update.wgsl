// Rules of whole-arena updates, shared by momentumSgd, ema and momentumSgdEma so that their bits agree.

/// One parameter group's settings; the last flags are 0 or 1.
struct Group {
  lr: f32, momentum: f32, one_minus_dampening: f32, weight_decay: f32,
  nesterov: f32, classical: f32, maximize: f32, unused: f32,
}

/// What a segment (one parameter) has had so far: no gradient in this step, its first one, or earlier ones too.
const STATE_NONE = 0u;
const STATE_FIRST = 1u;
const STATE_LIVE = 2u;

struct Sgd { param: vec4<f32>, momentum: vec4<f32> }

/// torch.optim.SGD, or with `classical` the form of Sutskever et al. 2013, whose momentum holds the learning rate.
/// Every choice is a select: branches cost more, and a product with 0 would turn an unused infinity into NaN.
fn momentum_sgd(group: Group, state: u32, param: vec4<f32>, grad: vec4<f32>, momentum: vec4<f32>) -> Sgd {
  let none = state == STATE_NONE;
  let live = state == STATE_LIVE;
  let plain = group.momentum == 0.0;
  let classical = (group.classical != 0.0) & !plain;
  let ascent = select(grad, -grad, group.maximize != 0.0);
  let decayed = select(ascent, ascent + group.weight_decay * param, group.weight_decay != 0.0);
  let push = select(decayed, -group.lr * decayed, classical); // what the gradient adds to the direction
  let fed = select(group.one_minus_dampening * decayed, push, classical); // and to the momentum
  let velocity = select(push, group.momentum * momentum + fed, live);
  let ahead = select(velocity, push + group.momentum * velocity, group.nesterov != 0.0);
  let direction = select(ahead, decayed, plain);
  let moved = select(param - group.lr * direction, param + direction, classical);
  return Sgd(select(moved, param, none), select(velocity, momentum, none | plain));
}

/// MoCo's update of the key encoder (He et al. 2020, eq. 2), in the expression of the authors' code.
fn ema(key: vec4<f32>, param: vec4<f32>, m: f32, one_minus_m: f32) -> vec4<f32> {
  return key * m + param * one_minus_m;
}
