/**
 * Proof that the bench notices what would make it lie: kernels that are wrong, do part of the work, do nothing, or do not
 * compile. Each mutant goes through the same check as the rows and must fail it.
 */

import type { Device } from "flywheel";
import { DeviceArray } from "flywheel/dev";
import { checkOutput, randomArray } from "./check";
import copyShader from "./copy.wgsl?raw";
import { bindCopy } from "./limits";

const COUNT = 4096;

/** A change of copy.wgsl, and what must be said of it. */
interface Mutant {
  readonly name: string;
  readonly edit?: readonly [from: string, to: string];
  readonly workgroups?: number;
  readonly complaint: RegExp;
}

const MUTANTS: readonly Mutant[] = [
  { name: "wrong values", edit: ["= input[i];", "= input[i] * 1.001;"], complaint: /elements are wrong/ },
  { name: "skips the last vec4", edit: ["i < params.count", "i + 1u < params.count"], complaint: /must be finite/ },
  { name: "does nothing", workgroups: 0, complaint: /must be finite/ },
  { name: "does not compile", edit: ["= input[i];", "= inputs[i];"], complaint: /must compile/ },
];

/**
 * Runs all mutants.
 *
 * @returns their names
 * @throws Error if one passes the check, or the kernel itself does not
 */
export async function checkGuards(device: Device): Promise<string[]> {
  const values = randomArray(COUNT);
  const input = DeviceArray.from(device, values);
  const output = DeviceArray.from(device, values);
  const complaintOf = async ({ edit: [from, to] = ["", ""], workgroups = 4 }: Partial<Mutant>): Promise<string> => {
    if (!copyShader.includes(from)) throw new Error(`guards: copy.wgsl must contain "${from}".`);
    output.write(new Float32Array(COUNT).fill(NaN));
    try {
      const launches = await bindCopy(device, { input, output, workgroups }, copyShader.replace(from, to));
      launches.submit();
      checkOutput(await output.data(), COUNT, { at: (index) => values[index]! });
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const unchanged = await complaintOf({});
  if (unchanged !== "") throw new Error(`guards: the copy kernel must pass its check, got "${unchanged}".`);
  for (const mutant of MUTANTS) {
    const complaint = await complaintOf(mutant);
    if (!mutant.complaint.test(complaint)) {
      throw new Error(
        `guards: a kernel with a defect (${mutant.name}) must fail its check, got "${complaint || "nothing"}".`,
      );
    }
  }
  return MUTANTS.map(({ name }) => name);
}
