/** An agent program that does what a list of steps says: prints, waits, dies, floods, leaves children behind. */
export * from "@contextfs/fixtures/Scenario"
