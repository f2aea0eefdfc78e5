import { readmeExamples } from "./shared/readme";

readmeExamples("webgpu");
