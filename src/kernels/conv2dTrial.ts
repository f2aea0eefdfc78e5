/** What a tuner tries convolutions and their gradients with, and single elements of what they must give, in f64. */

import { coordinatesOf } from "../graph/shape";
import type { Conv2dInfo } from "../ops/kernelInfo";
import type { Trial } from "./kernel";

/** The arrays of a convolution: each is made of the two others, in the forward or a gradient. */
type Operand = "input" | "weight" | "gradOut";

/** Elements of the three arrays of a convolution. */
const lengthOf: Readonly<Record<Operand, (info: Conv2dInfo) => number>> = {
  input: ({ batch, inChannels, height, width }) => batch * inChannels * height * width,
  weight: ({ outChannels, inChannels, groups, kernelHeight, kernelWidth }) =>
    (outChannels * inChannels * kernelHeight * kernelWidth) / groups,
  gradOut: ({ batch, outChannels, outHeight, outWidth }) => batch * outChannels * outHeight * outWidth,
};

/** A trial of the family that makes `output` from the two other arrays. */
export function conv2dTrial(output: Operand, inputs: readonly [Operand, Operand]): Trial<Conv2dInfo> {
  return {
    arrays: (info) => ({ inputs: inputs.map((name) => lengthOf[name](info)), output: lengthOf[output](info) }),
    at(info, given, index) {
      const values = new Map(inputs.map((name, i) => [name, given[i]!]));
      let [value, magnitude, terms] = [0, 0, 0];
      for (const place of meetings(output, info, index)) {
        const term = values.get(inputs[0])![place[inputs[0]]]! * values.get(inputs[1])![place[inputs[1]]]!;
        value += term;
        magnitude += Math.abs(term);
        terms++;
      }
      return { value, magnitude, terms };
    },
  };
}

/** Where the elements lie that meet in one element of an array: all of (n, o, c, y, x, i, j) that have it in them. */
function* meetings(output: Operand, info: Conv2dInfo, index: number): Generator<Record<Operand, number>> {
  const [inChannels, outChannels] = [info.inChannels / info.groups, info.outChannels / info.groups];
  const { batch, height, width, outHeight, outWidth, kernelHeight, kernelWidth } = info;
  const range = (count: number, fixed?: number): number[] =>
    fixed === undefined ? Array.from({ length: count }, (_, each) => each) : [fixed];
  // outer channels count through the groups; inner ones within
  const [n, channel, rows, cols] =
    output === "weight" ? [] : coordinatesOf(index, [batch, output === "input" ? info.inChannels : info.outChannels, output === "input" ? height : outHeight, output === "input" ? width : outWidth]); // prettier-ignore
  const [o, inner, tapY, tapX] =
    output === "weight" ? coordinatesOf(index, [info.outChannels, inChannels, kernelHeight, kernelWidth]) : [];
  const group = Math.floor((output === "input" ? channel! / inChannels : (o ?? channel)! / outChannels) || 0);
  const outs = output === "input" ? range(outChannels).map((each) => group * outChannels + each) : [o ?? channel!];
  const ins = output === "input" ? [channel! % inChannels] : range(inChannels, inner);
  /** Output rows, or columns, that meet a tap: those whose input is `wanted`, or one, or all. */
  const along = (count: number, fixed: number | undefined, wanted: number | undefined, stride: number): number[] => {
    if (wanted === undefined) return range(count, fixed);
    const place = wanted / stride;
    return Number.isInteger(place) && place >= 0 && place < count ? [place] : [];
  };
  const isInput = output === "input";
  const isGradOut = output === "gradOut";
  for (const i of range(kernelHeight, tapY)) {
    for (const j of range(kernelWidth, tapX)) {
      const [up, left] = [info.padHeight - i * info.dilationHeight, info.padWidth - j * info.dilationWidth];
      for (const y of along(
        outHeight,
        isGradOut ? rows : undefined,
        isInput ? rows! + up : undefined,
        info.strideHeight,
      )) {
        for (const x of along(
          outWidth,
          isGradOut ? cols : undefined,
          isInput ? cols! + left : undefined,
          info.strideWidth,
        )) {
          const [inY, inX] = [y * info.strideHeight - up, x * info.strideWidth - left];
          if (inY < 0 || inX < 0 || inY >= height || inX >= width) continue;
          for (const image of range(batch, n)) {
            for (const out of outs) {
              for (const c of ins) {
                yield {
                  input: ((image * info.inChannels + group * inChannels + c) * height + inY) * width + inX,
                  weight: ((out * inChannels + c) * kernelHeight + i) * kernelWidth + j,
                  gradOut: ((image * info.outChannels + out) * outHeight + y) * outWidth + x,
                };
              }
            }
          }
        }
      }
    }
  }
}
