package cluster

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
)

const mib = 1 << 20

// tuning is for a hub on one machine: tiles and loads are read-heavy, and
// there is no replica. synchronous_commit stays on, because an answer that a
// citizen was thanked for must survive.
func tuning() map[string]string {
	ram := memory()
	mb := func(n int64) string { return strconv.FormatInt(n/mib, 10) + "MB" }
	return map[string]string{
		"cluster_name":    "calanque",
		"max_connections": strconv.Itoa(64 + 12*runtime.NumCPU()), // three pools a process, several processes
		"timezone":        "UTC",
		"log_timezone":    "UTC",
		"log_line_prefix": "%m [%p] ",
		"log_checkpoints": "off",
		// What a refused row holds may be about a person: pseudonyms are forgotten, logs are not.
		"log_error_verbosity": "terse",

		"shared_buffers":       mb(min(max(ram/8, 128*mib), 4096*mib)), // the kernel's cache has the rest
		"effective_cache_size": mb(ram / 2),
		"work_mem":             mb(min(max(ram/256, 8*mib), 64*mib)),
		"maintenance_work_mem": mb(min(max(ram/32, 64*mib), 1024*mib)), // GiST indexes
		"random_page_cost":     "1.1",
		"jit":                  "off", // compiling takes longer than a tile

		"wal_level":          "minimal", // COPY FREEZE into a new table writes no WAL
		"max_wal_senders":    "0",
		"wal_compression":    "on",
		"max_wal_size":       "2GB",
		"checkpoint_timeout": "15min",
	}
}

// memory is what this machine or its control group has, in bytes.
func memory() int64 {
	total := int64(2048 * mib)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib int64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB", &kib); err == nil {
			total = kib << 10
		}
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64); err == nil {
			total = min(total, limit)
		}
	}
	return total
}
