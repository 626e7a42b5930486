/** Which processes are still alive, found by what they carry; Linux only. */
export * from "@contextfs/fixtures/Census"
