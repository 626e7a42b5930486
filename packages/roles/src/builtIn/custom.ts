import type { Role } from "../Role.js"

export const custom: Role = {
  name: "custom",
  description: "Generic agent for custom tasks",
  permission: "edit",
  searches: ["what is known about the task"],
  saves: [{ what: "findings", type: "fact" }],
  links: [],
  outcome: "fact",
  prompt: `You are an agent at work on one task. Do what the task says, completely and no more, and report truthfully what you
did, what you saw, and what is left.`
}
