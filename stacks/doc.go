// Package stacks holds the reference deployments, one file each. A stack file
// reads top to bottom in the order a request meets the system it defines: where
// it runs, what runs, how many and how a bad release is undone, how traffic
// gets in, what it may touch, where to find it.
//
// The files repeat each other on purpose: each is read, and taken home, alone.
package stacks
