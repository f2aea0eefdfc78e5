/** Works of the comparison with peers as rows of the bench: what flywheel's task does, and whether it is right. */

import { tensor } from "flywheel";
import type { Row } from "./harness";
import type { Library, MakeTask, Outputs, Task } from "./peers/library";
import { complaintAfter, complaintOf } from "./peers/work";
import type { AnyWork } from "./peers/works";

/** A row of a work. Of bytes it tells none. */
export async function taskRow(work: AnyWork, library: Library): Promise<Row> {
  const task = await makeTask(work, library);
  return {
    ...{ work: work.title, way: "default", flops: work.flops, bytes: 0 },
    async queue(times) {
      for (let run = 0; run < times; run++) await task.run();
    },
    async check() {
      const outputs = await task.read();
      if (work.standIn) raise(complaintAfter(work, outputs));
      await checkWork(work.standIn ?? work, library, outputs);
    },
  };
}

const makeTask = ({ kind, inputs }: AnyWork, { tasks }: Library): Task | Promise<Task> =>
  (tasks[kind] as MakeTask<typeof kind>)(inputs());

/**
 * Runs a work anew, from its start.
 *
 * @param outputs such as it gives
 */
async function checkWork(work: AnyWork, library: Library, outputs: Outputs): Promise<void> {
  const task = await makeTask(work, library);
  if (!task.state) await poison(outputs);
  const reads: Outputs[] = [];
  while (reads.length < work.checkedRuns) {
    await task.run();
    reads.push(await task.read());
  }
  raise(complaintOf(work, { reads, state: (await task.state?.()) ?? null }));
}

/** Fills the memory that the next results of these lengths get with NaN: what is not computed must not look right. */
async function poison(outputs: Outputs): Promise<void> {
  const made = Object.values(outputs).map(({ length }) => tensor(new Float32Array(length).fill(NaN)));
  for (const each of made) await each.realize();
  for (const each of made) each.dispose();
}

function raise(complaint: string | null): void {
  if (complaint !== null) throw new Error(complaint);
}
